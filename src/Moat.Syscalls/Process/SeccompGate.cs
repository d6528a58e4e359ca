using System.Buffers.Binary;
using Moat.Kernel.Ptrace;
using Moat.Kernel.Seccomp;
using Moat.Kernel.Signals;
using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Syscalls.Process;

/// <summary>Asks a task's filters before a call is dispatched, and does what they decide (seccomp(2)).</summary>
internal static class SeccompGate
{
    private const uint ActionMask = 0xffff0000;
    private const uint DataMask = 0x0000ffff;
    private const uint MaxErrno = 4095;

    /// <summary>Whether the call may go on; otherwise <paramref name="result"/> is its result.</summary>
    public static bool Allows(GuestTask task, SeccompState filters, out SyscallResult result)
    {
        if (filters.AllowsAlways(task.Registers.OrigRax) || (task.Tracee?.Options & TraceOptions.SuspendSeccomp) > 0)
        {
            result = default;
            return true;
        }

        return Follow(task, filters, filters.Decide(task.Registers), isAsked: false, out result);
    }

    // Does what is decided; whoever has asked the tracer already doesn't ask again.
    private static bool Follow(GuestTask task, SeccompState filters, uint decision, bool isAsked, out SyscallResult result)
    {
        result = Errno.ENOSYS;
        uint data = decision & DataMask;
        switch ((SeccompAction)(decision & ActionMask))
        {
            case SeccompAction.Allow:
                return true;
            case SeccompAction.Log:
                task.Kernel.Log.Warning($"seccomp: {task.Name}[{task.Tid}] calls {(SyscallNumber)task.Registers.OrigRax}");
                return true;
            case SeccompAction.Errno:
                result = new SyscallResult(-(long)Math.Min(data, MaxErrno));
                task.Registers.Rax = unchecked((ulong)result.Raw);
                task.KeepsRegisters = true; // 512 to 516 are values here and restart nothing
                return false;
            case SeccompAction.Trap:
                Trap(task, (int)data);
                result = new SyscallResult((long)task.Registers.OrigRax); // the call seems not to have been made yet
                return false;
            case SeccompAction.Trace:
                return isAsked || AskTracer(task, filters, data, out result);
            case SeccompAction.UserNotification:
                return false; // nobody listens
            case SeccompAction.KillThread when filters.Mode == 1 || task.ThreadGroup.Tasks.Count > 1:
                KillThread(task, filters.Mode == 1 ? Signal.SIGKILL : Signal.SIGSYS);
                return false;
            default:
                KillProcess(task, Signal.SIGSYS);
                return false;
        }
    }

    // The tracer may change the call, which the filters then decide on once more, or its number to -1: then it is not made, and what the tracer left in RAX is its result.
    private static bool AskTracer(GuestTask task, SeccompState filters, uint data, out SyscallResult result)
    {
        const int NoCall = -1;
        result = Errno.ENOSYS;
        if (!TraceStops.Event(task, TraceEvent.Seccomp, data))
        {
            return false;
        }

        if ((int)task.Registers.OrigRax != NoCall && !TraceStops.IsKilled(task))
        {
            return Follow(task, filters, filters.Decide(task.Registers), isAsked: true, out result);
        }

        result = new SyscallResult((long)task.Registers.Rax);
        task.KeepsRegisters = true;
        return false;
    }

    private static void Trap(GuestTask task, int data)
    {
        SignalInfo info = SignalInfo.FromFault(Signal.SIGSYS, 1, new GuestAddress(task.Registers.Rip)); // SYS_SECCOMP
        Span<byte> bytes = info;
        BinaryPrimitives.WriteInt32LittleEndian(bytes[4..], data); // si_errno
        BinaryPrimitives.WriteInt32LittleEndian(bytes[24..], (int)task.Registers.OrigRax); // si_syscall
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[28..], 0xc000003e); // si_arch: AUDIT_ARCH_X86_64
        lock (task.Kernel.TaskLock)
        {
            SignalSender.Force(task, info);
        }
    }

    private static void KillThread(GuestTask task, Signal signal)
    {
        if (task.ThreadGroup.Tasks.Count == 1)
        {
            KillProcess(task, signal);
            return;
        }

        task.IsEnding = true;
        task.ExitStatus = (int)signal;
    }

    private static void KillProcess(GuestTask task, Signal signal)
    {
        lock (task.Kernel.TaskLock)
        {
            ulong coreLimit = task.ThreadGroup.Limits.Get(ResourceLimits.Core).Current;
            ProcessExit.EndGroup(task.ThreadGroup, (int)signal | (signal == Signal.SIGSYS && coreLimit > 0 ? 0x80 : 0));
        }

        task.IsEnding = true;
    }
}
