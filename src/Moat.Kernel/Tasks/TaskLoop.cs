using Moat.Kernel.Memory;
using Moat.Kernel.Ptrace;
using Moat.Kernel.Signals;
using Moat.Linux;
using Moat.Platform;

namespace Moat.Kernel.Tasks;

/// <summary>The life of a task: application code, system call, signals, application code, until it ends.</summary>
internal static class TaskLoop
{
    private const int SyscallSize = 2; // bytes of the instruction

    /// <summary>Runs a task to its end, on a thread that has none.</summary>
    public static void Run(GuestTask task)
    {
        try
        {
            task.CpuClock.EnterSystem();
            task.ThreadGroup.Container.Rest(task); // it may have been made while the container was stopped
            RunToEnd(task);
            TraceStops.Event(task, TraceEvent.Exit, (ulong)ProcessExit.StatusOf(task));
            task.Kernel.Dispatcher.OnEnd(task, ProcessExit.StatusOf(task));
            if (task.Kernel.Log.IsDebug)
            {
                task.Kernel.Log.Debug($"{task.Name}[{task.Tid}]: {task.Context.Calls.Patched} calls through trampolines, {task.Context.Calls.Trapped} trapped");
            }

            ProcessExit.EndTask(task, task.ExitStatus);
        }
        catch (Exception exception)
        {
            // A bug of ours. The sandbox ends: nothing goes on with half a kernel.
            task.Kernel.ReportBug(task, exception);
        }
    }

    private static void RunToEnd(GuestTask task)
    {
        IContext context = task.Context;
        bool alive = true;
        if (task.Signals.NeedsHandling)
        {
            alive = SignalDelivery.Run(task, Errno.None);
        }

        while (alive && !task.IsEnding)
        {
            Errno restart = Errno.None;
            task.CpuClock.EnterUser();
            task.Answers.Refresh();
            SwitchResult result = context.Switch(task.Memory.AddressSpace, ref task.Registers);
            task.CpuClock.EnterSystem();
            if (result.Reason != SwitchReason.Syscall)
            {
                task.Memory.LeaveTrampoline(ref task.Registers.Rip);
            }

            switch (result.Reason)
            {
                case SwitchReason.Syscall:
                    if (result.IsHotSite)
                    {
                        Patch(task);
                    }

                    restart = Syscall(task);
                    break;
                case SwitchReason.Fault:
                    Fault(task, result);
                    break;
                case SwitchReason.Exception:
                    Exception(task, result);
                    break;
                case SwitchReason.Interrupted:
                    task.ThreadGroup.Container.Rest(task);
                    break;
                case SwitchReason.Lost:
                    task.Kernel.Log.Error($"task {task.Tid} ({task.Name}) lost its stub");
                    lock (task.Kernel.TaskLock)
                    {
                        ProcessExit.EndGroup(task.ThreadGroup, (int)Signal.SIGKILL);
                    }

                    break;
            }

            if (task.Signals.NeedsHandling || restart != Errno.None || task.Signals.SavedMask is not null)
            {
                alive = SignalDelivery.Run(task, restart);
            }
        }
    }

    private static void Patch(GuestTask task)
    {
        ulong syscall = task.Registers.Rip - SyscallSize;
        if (!task.Memory.PatchCallSite(syscall, task.Registers.OrigRax) && task.Kernel.Log.IsDebug)
        {
            Span<byte> before = stackalloc byte[16];
            before = task.Memory.CopyIn(new GuestAddress(syscall - (ulong)before.Length), before) == Errno.None ? before : default;
            task.Kernel.Log.Debug($"{task.Name}[{task.Tid}]: calls at 0x{syscall:x} trap: {Convert.ToHexStringLower(before)} before {(SyscallNumber)task.Registers.OrigRax}");
        }
    }

    private static Errno Syscall(GuestTask task)
    {
        if (task.Tracee is not null)
        {
            return TracedCalls.Run(task);
        }

        SyscallResult result = task.Kernel.Dispatcher.Dispatch(task);
        if (task.KeepsRegisters)
        {
            // execve(2) and rt_sigreturn(2) have set all registers themselves.
            task.KeepsRegisters = false;
            return Errno.None;
        }

        task.Registers.Rax = unchecked((ulong)result.Raw);
        return result.Errno is Errno.ERESTARTSYS or Errno.ERESTARTNOINTR or Errno.ERESTARTNOHAND or Errno.ERESTART_RESTARTBLOCK ? result.Errno : Errno.None;
    }

    private static void Exception(GuestTask task, in SwitchResult result)
    {
        int code = result.SignalCode;
        if (task.Tracee is not { } tracee || TraceSteps.IsSignal(tracee, (Signal)result.Signal, ref code))
        {
            ForceSignal(task, SignalInfo.FromFault((Signal)result.Signal, code, result.Address));
        }
    }

    private static void Fault(GuestTask task, in SwitchResult result)
    {
        const int AccessError = 2; // SEGV_ACCERR: something is mapped there
        bool isPresent = result.Signal == (int)Signal.SIGBUS || result.SignalCode == AccessError;
        FaultOutcome outcome = result.Signal == (int)Signal.SIGBUS
            ? FaultOutcome.NoPage
            : task.Memory.HandleFault(result.Address, result.Access, isPresent, task.ThreadGroup.Limits.Get(ResourceLimits.Stack).Current);
        task.Usage.CountFault();
        if (outcome != FaultOutcome.Handled)
        {
            task.Signals.LastFault = result.Address;
            ForceSignal(task, SignalInfo.FromFault(outcome.Signal, outcome.Code, result.Address));
        }
    }

    private static void ForceSignal(GuestTask task, in SignalInfo info)
    {
        if (task.Kernel.Log.IsDebug)
        {
            task.Kernel.Log.Debug(
                $"{task.Name}[{task.Tid}]: {info.Signal} code {info.Code} at 0x{info.Address.Value:x}, rip 0x{task.Registers.Rip:x}, rsp 0x{task.Registers.Rsp:x}, in {task.Memory.Describe(info.Address)}");
        }

        lock (task.Kernel.TaskLock)
        {
            SignalSender.Force(task, info);
        }
    }
}
