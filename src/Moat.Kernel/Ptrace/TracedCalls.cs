using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Kernel.Ptrace;

/// <summary>System calls of a traced task: the tracer may look at and change them at their entry and their exit. On the tracee's thread.</summary>
internal static class TracedCalls
{
    private const int NoCall = -1;

    /// <summary>Makes the call that the registers hold, with the stops that the tracer wants.</summary>
    /// <returns>The restart code that the call left, or None.</returns>
    public static Errno Run(GuestTask task)
    {
        if (!Enter(task))
        {
            return Errno.None;
        }

        bool wasInterrupted = false;
        if ((int)task.Registers.OrigRax != NoCall)
        {
            SyscallResult result = task.Kernel.Dispatcher.Dispatch(task);
            if (!task.KeepsRegisters)
            {
                task.Registers.Rax = unchecked((ulong)result.Raw);
            }

            wasInterrupted = IsRestart(result.Errno);
            task.KeepsRegisters = false;
        }

        if (task.Tracee is { } tracee && !task.IsEnding)
        {
            Leave(tracee);
        }

        // Without an interruption the results that say "again" are numbers like others.
        return wasInterrupted || task.Signals.NeedsHandling ? RestartOf(task.Registers) : Errno.None;
    }

    /// <summary>Whether the call that the registers tell of is to be made again: what the tracer left in them decides.</summary>
    public static Errno RestartOf(in RegisterSet registers)
    {
        Errno errno = (int)registers.OrigRax != NoCall ? new SyscallResult(unchecked((long)registers.Rax)).Errno : Errno.None;
        return IsRestart(errno) ? errno : Errno.None;
    }

    private static bool IsRestart(Errno errno) => errno is Errno.ERESTARTSYS or Errno.ERESTARTNOINTR or Errno.ERESTARTNOHAND or Errno.ERESTART_RESTARTBLOCK;

    // False if the task is to end.
    private static bool Enter(GuestTask task)
    {
        if (task.Tracee is not { Resume: not TraceResume.Continue } tracee)
        {
            return true;
        }

        bool isEmulated = tracee.Resume == TraceResume.Emulate;
        TraceStops.Call(tracee, isExit: false);
        if (TraceStops.IsKilled(task))
        {
            return false;
        }

        if (isEmulated)
        {
            task.Registers.OrigRax = unchecked((ulong)NoCall);
        }

        return true;
    }

    private static void Leave(Tracee tracee)
    {
        TraceSteps.Continue(tracee); // execve(2) and rt_sigreturn(2) have changed all registers
        if (tracee.Steps && tracee.Resume != TraceResume.Emulate)
        {
            TraceSteps.EndAfterCall(tracee);
        }
        else if (tracee.Resume == TraceResume.Syscall)
        {
            TraceStops.Call(tracee, isExit: true);
        }
    }
}
