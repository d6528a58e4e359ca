using Moat.Kernel.Signals;
using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Kernel.Ptrace;

/// <summary>Single steps through the processor's trap flag, which neither the tracee nor its tracer gets to see. All of it on the tracee's thread.</summary>
internal static class TraceSteps
{
    private const ulong TrapFlag = 0x100;
    private const int TrapBreakpoint = 1; // TRAP_BRKPT
    private const int TrapTrace = 2; // TRAP_TRACE
    private const int TrapHardware = 4; // TRAP_HWBKPT

    /// <summary>The tracee leaves a stop: with the flag, if it steps or has breakpoints that need it.</summary>
    public static void Begin(Tracee tracee)
    {
        if (tracee.Breakpoints is { IsArmed: true } breakpoints)
        {
            breakpoints.Begin(tracee.Task);
        }

        Continue(tracee);
    }

    /// <summary>The tracee's registers are others than those that it left its last stop with: the flag is put there again.</summary>
    public static void Continue(Tracee tracee)
    {
        if ((tracee.Steps || tracee.Breakpoints is { IsArmed: true }) && (tracee.Task.Registers.Eflags & TrapFlag) == 0)
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

    /// <summary>The processor has raised an exception. The end of a step that was made only for breakpoints, none of which it met, is no signal.</summary>
    /// <param name="tracee">The tracee.</param>
    /// <param name="signal">The signal that the exception is.</param>
    /// <param name="code">Its <c>si_code</c>; another one at a breakpoint.</param>
    /// <returns>Whether the signal is to be sent.</returns>
    public static bool IsSignal(Tracee tracee, Signal signal, ref int code)
    {
        if (signal != Signal.SIGTRAP || code != TrapTrace || tracee is not { HasForcedTrapFlag: true, Breakpoints: { IsArmed: true } breakpoints })
        {
            return true;
        }

        bool isHit = breakpoints.Check(tracee.Task, tracee.Steps);
        code = isHit && !tracee.Steps ? TrapHardware : code;
        Continue(tracee); // the instruction may have loaded flags of its own
        return isHit || tracee.Steps;
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
