using Moat.Kernel.Signals;
using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Kernel.Ptrace;

/// <summary>Single steps through the processor's trap flag, which neither the tracee nor its tracer gets to see. All of it on the tracee's thread.</summary>
internal static class TraceSteps
{
    private const ulong TrapFlag = 0x100;
    private const int TrapBreakpoint = 1; // TRAP_BRKPT

    /// <summary>The tracee goes on: with the flag, if it steps.</summary>
    public static void Begin(Tracee tracee)
    {
        if (tracee.Steps && (tracee.Task.Registers.Eflags & TrapFlag) == 0)
        {
            tracee.Task.Registers.Eflags |= TrapFlag;
            tracee.HasForcedTrapFlag = true;
        }
    }

    /// <summary>Somebody will see the registers: a flag that is not the tracee's own goes.</summary>
    public static void Hide(Tracee tracee)
    {
        if (tracee.HasForcedTrapFlag)
        {
            tracee.Task.Registers.Eflags &= ~TrapFlag;
            tracee.HasForcedTrapFlag = false;
        }
    }

    /// <summary>A step over a system call ends behind it, before another instruction.</summary>
    public static void EndAfterCall(Tracee tracee)
    {
        GuestTask task = tracee.Task;
        lock (task.Kernel.TaskLock)
        {
            SignalSender.Force(task, SignalInfo.FromFault(Signal.SIGTRAP, TrapBreakpoint, new GuestAddress(task.Registers.Rip)));
        }
    }

    /// <summary>The registers of a copy of a task, without a flag that is not the task's own.</summary>
    public static void Forget(GuestTask task, ref RegisterSet copy)
    {
        if (task.Tracee is { HasForcedTrapFlag: true })
        {
            copy.Eflags &= ~TrapFlag;
        }
    }
}
