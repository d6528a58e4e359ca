using System.Runtime.InteropServices;
using Moat.Kernel.Credentials;
using Moat.Kernel.Memory;
using Moat.Kernel.Signals;
using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Syscalls.Signals;

/// <summary>rt_sigaction(2), rt_sigprocmask(2), rt_sigreturn(2), rt_sigsuspend(2), rt_sigpending(2), rt_sigtimedwait(2), sigaltstack(2), pause(2).</summary>
internal static class SignalCalls
{
    private const ulong SetSize = 8;

    public static void Register(SyscallTableBuilder table)
    {
        table.Add(SyscallNumber.rt_sigaction, Sigaction, Arg.Signal, Arg.SignalAction, Arg.Pointer, Arg.Size);
        table.Add(SyscallNumber.rt_sigprocmask, Sigprocmask, Arg.HowMask, Arg.SignalSet, Arg.Pointer, Arg.Size);
        table.Add(SyscallNumber.rt_sigreturn, Sigreturn);
        table.Add(SyscallNumber.rt_sigsuspend, Sigsuspend, Arg.SignalSet, Arg.Size);
        table.Add(SyscallNumber.rt_sigpending, Sigpending, Arg.Pointer, Arg.Size);
        table.Add(SyscallNumber.rt_sigtimedwait, Sigtimedwait, Arg.SignalSet, Arg.Pointer, Arg.Timespec, Arg.Size);
        table.Add(SyscallNumber.sigaltstack, Sigaltstack, Arg.Pointer, Arg.Pointer);
        table.Add(SyscallNumber.pause, Pause);
    }

    private static SyscallResult Sigaction(GuestTask task, in SyscallArguments arguments)
    {
        int number = arguments.Int(0);
        if (arguments.Size(3) != SetSize || number is < 1 or > 64)
        {
            return Errno.EINVAL;
        }

        Signal signal = (Signal)number;
        bool sets = !arguments.Address(1).IsNull;
        SignalAction action = default;
        if (sets)
        {
            Errno errno = task.Memory.Read(arguments.Address(1), out action);
            if (errno != Errno.None)
            {
                return errno;
            }

            if (SignalSet.Unblockable.Contains(signal))
            {
                return Errno.EINVAL;
            }
        }

        SignalAction before;
        lock (task.Kernel.TaskLock)
        {
            SignalActions actions = task.ThreadGroup.Actions;
            before = actions[signal];
            if (sets)
            {
                actions[signal] = action with { Mask = action.Mask - SignalSet.Unblockable };
                if (action.IsIgnore || (action.IsDefault && DefaultActions.Of(signal) == DefaultAction.Ignore))
                {
                    task.ThreadGroup.SharedSignals.Discard(SignalSet.Of(signal));
                    foreach (GuestTask other in task.ThreadGroup.Tasks)
                    {
                        other.Signals.Queue.Discard(SignalSet.Of(signal));
                    }
                }

                task.ThreadGroup.Timers.OnActionChanged(signal);
            }
        }

        return arguments.Address(2).IsNull ? Errno.None : task.Memory.Write(arguments.Address(2), before);
    }

    private static SyscallResult Sigprocmask(GuestTask task, in SyscallArguments arguments)
    {
        const int Block = 0;
        const int Unblock = 1;
        const int Set = 2;
        if (arguments.Size(3) != SetSize)
        {
            return Errno.EINVAL;
        }

        SignalSet before = task.Signals.Blocked;
        if (!arguments.Address(1).IsNull)
        {
            Errno errno = task.Memory.Read(arguments.Address(1), out SignalSet set);
            if (errno != Errno.None)
            {
                return errno;
            }

            if (arguments.Int(0) is not (Block or Unblock or Set))
            {
                return Errno.EINVAL;
            }

            lock (task.Kernel.TaskLock)
            {
                task.Signals.SetBlocked(arguments.Int(0) switch { Block => before | set, Unblock => before - set, _ => set });
            }
        }

        return arguments.Address(2).IsNull ? Errno.None : task.Memory.Write(arguments.Address(2), before);
    }

    private static SyscallResult Sigreturn(GuestTask task, in SyscallArguments arguments)
    {
        if (!SignalReturn.Run(task))
        {
            lock (task.Kernel.TaskLock)
            {
                SignalSender.Force(task, SignalInfo.FromKernel(Signal.SIGSEGV));
            }
        }

        task.KeepsRegisters = true;
        return SyscallResult.Ok;
    }

    private static SyscallResult Sigsuspend(GuestTask task, in SyscallArguments arguments)
    {
        if (arguments.Size(1) != SetSize)
        {
            return Errno.EINVAL;
        }

        Errno errno = task.Memory.Read(arguments.Address(0), out SignalSet mask);
        if (errno != Errno.None)
        {
            return errno;
        }

        lock (task.Kernel.TaskLock)
        {
            task.Signals.SavedMask = task.Signals.Blocked;
            task.Signals.SetBlocked(mask);
        }

        while (task.Block() == Errno.None)
        {
        }

        return Errno.ERESTARTNOHAND;
    }

    private static SyscallResult Pause(GuestTask task, in SyscallArguments arguments)
    {
        while (task.Block() == Errno.None)
        {
        }

        return Errno.ERESTARTNOHAND;
    }

    private static SyscallResult Sigpending(GuestTask task, in SyscallArguments arguments)
    {
        if (arguments.Size(1) > SetSize)
        {
            return Errno.EINVAL;
        }

        SignalSet pending;
        lock (task.Kernel.TaskLock)
        {
            pending = task.Signals.Pending & task.Signals.Blocked;
        }

        return task.Memory.Write(arguments.Address(0), pending);
    }

    private static SyscallResult Sigtimedwait(GuestTask task, in SyscallArguments arguments)
    {
        if (arguments.Size(3) != SetSize)
        {
            return Errno.EINVAL;
        }

        Errno errno = task.Memory.Read(arguments.Address(0), out SignalSet wanted);
        if (errno != Errno.None)
        {
            return errno;
        }

        if (!Guest.DeadlineOf(task, arguments.Address(2)).TryGet(out long deadlineNs, out errno))
        {
            return errno;
        }

        wanted -= SignalSet.Unblockable;
        SignalInfo info;
        while (true)
        {
            lock (task.Kernel.TaskLock)
            {
                task.Signals.WaitedFor = default;
                if (task.Signals.TryTake(wanted, out info))
                {
                    break;
                }

                task.Signals.WaitedFor = wanted;
            }

            errno = task.Block(deadlineNs);
            if (errno == Errno.None)
            {
                continue;
            }

            lock (task.Kernel.TaskLock)
            {
                task.Signals.WaitedFor = default;
                if (task.Signals.TryTake(wanted, out info))
                {
                    break;
                }
            }

            return errno == Errno.ETIMEDOUT ? Errno.EAGAIN : Errno.EINTR;
        }

        if (!arguments.Address(1).IsNull)
        {
            errno = task.Memory.CopyOut(arguments.Address(1), info);
            if (errno != Errno.None)
            {
                return errno;
            }
        }

        return (int)info.Signal;
    }

    private static SyscallResult Sigaltstack(GuestTask task, in SyscallArguments arguments)
    {
        AlternateStack current = task.Signals.AlternateStack;
        bool onStack = current.Contains(task.Registers.Rsp);
        if (!arguments.Address(0).IsNull)
        {
            Errno errno = task.Memory.Read(arguments.Address(0), out StackBuffer wanted);
            if (errno != Errno.None)
            {
                return errno;
            }

            if (onStack)
            {
                return Errno.EPERM;
            }

            uint mode = wanted.Flags & ~AlternateStack.AutoDisarm;
            if (mode is not (0 or AlternateStack.OnStack or AlternateStack.Disable))
            {
                return Errno.EINVAL;
            }

            if (mode != AlternateStack.Disable && wanted.Size < AlternateStack.MinSize)
            {
                return Errno.ENOMEM;
            }

            task.Signals.AlternateStack = mode == AlternateStack.Disable ? AlternateStack.None : new AlternateStack(wanted.Base, wanted.Flags & AlternateStack.AutoDisarm, wanted.Size);
        }

        return arguments.Address(1).IsNull
            ? Errno.None
            : task.Memory.Write(arguments.Address(1), new StackBuffer { Base = current.Base, Flags = current.Flags | (onStack ? AlternateStack.OnStack : 0), Size = current.Size });
    }

    /// <remarks><c>stack_t</c>, <c>asm-generic/signal.h</c>.</remarks>
    [StructLayout(LayoutKind.Sequential)]
    private struct StackBuffer
    {
        public ulong Base;
        public uint Flags;
        public uint Padding;
        public ulong Size;
    }
}
