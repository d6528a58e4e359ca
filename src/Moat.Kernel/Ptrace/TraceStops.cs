using Moat.Kernel.Signals;
using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Kernel.Ptrace;

/// <summary>The stops of a tracee, each on its own thread, which sleeps here until the tracer or a deadly signal lets it go on (ptrace(2), "Stopped states"). Without the lock.</summary>
public static class TraceStops
{
    private const int SysGoodBit = 0x80;
    private const ulong EntryMessage = 1; // PTRACE_EVENTMSG_SYSCALL_ENTRY
    private const ulong ExitMessage = 2; // PTRACE_EVENTMSG_SYSCALL_EXIT
    private const int NotStopped = -1;

    /// <summary>Stops for an event that the tracer wants to know of.</summary>
    /// <returns>Whether it stopped.</returns>
    public static bool Event(GuestTask task, TraceEvent traceEvent, ulong message)
    {
        if (task.Tracee is not { } tracee || !tracee.Wants(traceEvent))
        {
            return false;
        }

        int code = ((int)traceEvent << 8) | (int)Signal.SIGTRAP;
        return Stop(tracee, code, ProcessExit.ChildTrapped, OwnInfo(task, Signal.SIGTRAP, code), message, endures: traceEvent == TraceEvent.Exit) != NotStopped;
    }

    /// <summary>A program has been executed: an event for a tracer that wants it, and SIGTRAP for one that has not seized the task and does not.</summary>
    /// <param name="task">The task, with its new program.</param>
    /// <param name="formerTid">Its tid before: of a thread that was not the leader, another.</param>
    internal static void Exec(GuestTask task, int formerTid)
    {
        if (Event(task, TraceEvent.Exec, (ulong)formerTid))
        {
            return;
        }

        lock (task.Kernel.TaskLock)
        {
            if (task.Tracee is { IsSeized: false } tracee && !tracee.Wants(TraceEvent.Exec))
            {
                SignalSender.SendToTask(task, SignalInfo.FromSender(Signal.SIGTRAP, SignalInfo.SiUser, task.ThreadGroup.Pid, task.Credentials.RealUid));
            }
        }
    }

    /// <summary>Whether a task has been given something to do that lets it go nowhere but to its end.</summary>
    public static bool IsKilled(GuestTask task) => task.ThreadGroup.IsExiting || (task.ThreadGroup.Executing is { } executing && executing != task);

    /// <summary>Stops at the entry to a system call, or at the exit. A signal that the tracer gives is sent.</summary>
    internal static void Call(Tracee tracee, bool isExit)
    {
        GuestTask task = tracee.Task;
        int code = (int)Signal.SIGTRAP | ((tracee.Options & TraceOptions.SysGood) != 0 ? SysGoodBit : 0);
        int signal = Stop(tracee, code, ProcessExit.ChildTrapped, OwnInfo(task, Signal.SIGTRAP, code), isExit ? ExitMessage : EntryMessage);
        if (signal is > 0 and <= (int)Signal.SIGRTMAX)
        {
            // A tracer that ends before it has waited for the stop leaves the stop's own code, which need not be a signal.
            lock (task.Kernel.TaskLock)
            {
                SignalSender.SendToTask(task, SignalInfo.FromKernel((Signal)signal));
            }
        }
    }

    /// <summary>Stops behind the entry to a handler that a stepping tracee has been sent to.</summary>
    internal static void Handler(Tracee tracee) =>
        Stop(tracee, (int)Signal.SIGTRAP, ProcessExit.ChildTrapped, OwnInfo(tracee.Task, Signal.SIGTRAP, (int)Signal.SIGTRAP), 0);

    /// <summary>Stops because a signal is about to be delivered; the tracer decides which, if any.</summary>
    /// <returns>Whether <paramref name="info"/> is to be delivered now.</returns>
    internal static bool Delivery(Tracee tracee, ref SignalInfo info)
    {
        GuestTask task = tracee.Task;
        tracee.StopCounts = true;
        int signal = Stop(tracee, (int)info.Signal, ProcessExit.ChildTrapped, info, 0);
        if (signal == NotStopped)
        {
            return true;
        }

        if (signal == 0)
        {
            return false;
        }

        info = tracee.Info;
        lock (task.Kernel.TaskLock)
        {
            if (signal != (int)info.Signal)
            {
                bool isTraced = task.Tracee == tracee;
                info = SignalInfo.FromSender(
                    (Signal)signal, SignalInfo.SiUser, isTraced ? tracee.Tracer.Tid : task.ThreadGroup.Parent?.Pid ?? 0, isTraced ? tracee.Tracer.Credentials.RealUid : task.ThreadGroup.Parent?.Leader.Credentials.RealUid ?? 0);
            }

            if (task.Signals.Blocked.Contains((Signal)signal))
            {
                task.Signals.Queue.Add(info);
                return false;
            }
        }

        return true;
    }

    /// <summary>Stops for what is due: an interrupt, a stop of the group, its end.</summary>
    internal static void Trap(Tracee tracee)
    {
        GuestTask task = tracee.Task;
        Signal signal;
        lock (task.Kernel.TaskLock)
        {
            if (task.Tracee != tracee || !tracee.HasTrap)
            {
                return;
            }

            signal = task.ThreadGroup.IsStopped || !tracee.IsSeized ? tracee.StopSignal : Signal.SIGTRAP;
        }

        if (tracee.IsSeized)
        {
            int code = ((int)TraceEvent.Stop << 8) | (int)signal;
            Stop(tracee, code, ProcessExit.ChildStopped, OwnInfo(task, Signal.SIGTRAP, code), 0);
        }
        else
        {
            Stop(tracee, (int)signal, ProcessExit.ChildStopped, null, 0);
        }
    }

    private static SignalInfo OwnInfo(GuestTask task, Signal signal, int code) => SignalInfo.FromSender(signal, code, task.Tid, task.Credentials.RealUid);

    // Returns the signal that the tracer gives, or 0; NotStopped if the task is not traced any more or is to end. A stop that endures is one on the way to the end: what has begun that doesn't cut it short.
    private static int Stop(Tracee tracee, int code, int why, SignalInfo? info, ulong message, bool endures = false)
    {
        GuestTask task = tracee.Task;
        bool wasKilled;
        lock (task.Kernel.TaskLock)
        {
            wasKilled = IsKilled(task);
            if (task.Tracee != tracee || (wasKilled && !endures))
            {
                return NotStopped;
            }

            TraceSteps.Hide(tracee);
            tracee.NoteStop(why == ProcessExit.ChildStopped);
            (tracee.IsStopped, tracee.IsListening, tracee.Code, tracee.Message) = (true, false, code, message);
            (tracee.HasInfo, tracee.Info) = (info.HasValue, info.GetValueOrDefault());
            ProcessExit.NotifyTracer(tracee, why, code & 0x7f);
            tracee.Tracer.Unblock(); // it may wait for a task that was stopped already to become its own
        }

        int signal;
        while (true)
        {
            TraceeWork? work;
            lock (task.Kernel.TaskLock)
            {
                work = tracee.TakeWork();
                if (work is null && (!tracee.IsStopped || (!wasKilled && IsKilled(task))))
                {
                    signal = tracee.Code;
                    (tracee.IsStopped, tracee.IsListening, tracee.Code, tracee.Message, tracee.HasInfo) = (false, false, 0, 0, false);
                    break;
                }
            }

            if (work is null)
            {
                task.ParkUninterruptibly();
                continue;
            }

            work.Run(task.Context);
            lock (task.Kernel.TaskLock)
            {
                work.Finish();
                tracee.Tracer.Unblock();
            }
        }

        if (task.Tracee == tracee)
        {
            TraceSteps.Begin(tracee);
        }

        return signal;
    }
}
