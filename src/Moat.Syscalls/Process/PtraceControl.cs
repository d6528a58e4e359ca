using Moat.Kernel.Credentials;
using Moat.Kernel.Memory;
using Moat.Kernel.Ptrace;
using Moat.Kernel.Signals;
using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Syscalls.Process;

/// <summary>The requests of ptrace(2) that say how a tracee goes on.</summary>
internal static class PtraceControl
{
    /// <summary>Whether a tracer may ask for these options.</summary>
    /// <returns>EINVAL for unknown ones; EPERM for the suspension of filters by somebody without privilege, or who has filters or a tracer that suspends them.</returns>
    public static Errno CheckOptions(GuestTask task, TraceOptions options)
    {
        if ((options & ~TraceOptions.All) != 0)
        {
            return Errno.EINVAL;
        }

        bool isForbidden = (options & TraceOptions.SuspendSeccomp) != 0
            && (!task.Credentials.HasCapability(Capability.CAP_SYS_ADMIN) || task.Seccomp is not null || (task.Tracee?.Options & TraceOptions.SuspendSeccomp) > 0);
        return isForbidden ? Errno.EPERM : Errno.None;
    }

    /// <summary>PTRACE_KILL, PTRACE_INTERRUPT: whatever the tracee does.</summary>
    public static SyscallResult OfAnyState(GuestTask task, GuestTask target, PtraceRequest request)
    {
        lock (task.Kernel.TaskLock)
        {
            if (target.Tracee is not { } tracee || tracee.Tracer != task)
            {
                return Errno.ESRCH;
            }

            if (request == PtraceRequest.Kill)
            {
                return SignalSender.SendToTask(target, SignalInfo.FromSender(Signal.SIGKILL, SignalInfo.SiUser, task.ThreadGroup.Pid, task.Credentials.RealUid));
            }

            if (!tracee.IsSeized)
            {
                return Errno.EIO;
            }

            tracee.Interrupt();
            return SyscallResult.Ok;
        }
    }

    /// <summary>The requests that let it go on.</summary>
    public static SyscallResult Resume(GuestTask task, Tracee tracee, PtraceRequest request, int signal)
    {
        lock (task.Kernel.TaskLock)
        {
            if (!tracee.IsHeldBy(task))
            {
                return Errno.ESRCH;
            }

            if (request == PtraceRequest.Detach)
            {
                TraceLinks.Detach(tracee, signal);
                return SyscallResult.Ok;
            }

            TraceResume how = request switch
            {
                PtraceRequest.Syscall => TraceResume.Syscall,
                PtraceRequest.SysEmu or PtraceRequest.SysEmuSingleStep => TraceResume.Emulate,
                _ => TraceResume.Continue,
            };
            tracee.Continue(how, request is PtraceRequest.SingleStep or PtraceRequest.SysEmuSingleStep, signal);
            return SyscallResult.Ok;
        }
    }

    /// <summary>PTRACE_SETOPTIONS, PTRACE_GETEVENTMSG, PTRACE_LISTEN.</summary>
    public static SyscallResult Run(GuestTask task, Tracee tracee, PtraceRequest request, in SyscallArguments arguments)
    {
        ulong message;
        lock (task.Kernel.TaskLock)
        {
            if (!tracee.IsHeldBy(task))
            {
                return Errno.ESRCH;
            }

            if (request == PtraceRequest.Listen)
            {
                return tracee.TryListen() ? Errno.None : Errno.EIO;
            }

            if (request != PtraceRequest.GetEventMessage)
            {
                Errno errno = arguments[3] > int.MaxValue ? Errno.EINVAL : CheckOptions(task, (TraceOptions)arguments[3]);
                tracee.Options = errno == Errno.None ? (TraceOptions)arguments[3] : tracee.Options;
                return errno;
            }

            message = tracee.Message;
        }

        return task.Memory.Write(arguments.Address(3), message);
    }
}
