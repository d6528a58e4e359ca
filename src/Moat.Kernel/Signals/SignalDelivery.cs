using Moat.Kernel.Ptrace;
using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Kernel.Signals;

/// <summary>What happens to a task between a system call (or an interruption) and its return to the application: stops, ends, handlers, restarts.</summary>
internal static class SignalDelivery
{
    private const int SyscallLength = 2; // the syscall instruction

    /// <summary>Handles everything that is due.</summary>
    /// <param name="task">The calling task.</param>
    /// <param name="restart">The restart code the call returned, or None.</param>
    /// <returns>False if the task is to end.</returns>
    public static bool Run(GuestTask task, Errno restart)
    {
        ThreadGroup group = task.ThreadGroup;
        while (true)
        {
            SignalInfo info = default;
            SignalAction action = default;
            Verdict verdict = Verdict.Handle;
            Tracee? tracee;
            lock (task.Kernel.TaskLock)
            {
                if (TraceStops.IsKilled(task))
                {
                    return false;
                }

                tracee = task.Tracee;
                bool isStopDue = tracee is null ? group.IsStopped : tracee.HasTrap;
                if (!isStopDue && !task.Signals.TryTake(~task.Signals.Blocked, out info))
                {
                    break;
                }

                if (!isStopDue && tracee is null)
                {
                    verdict = Decide(task, info, out action);
                }
            }

            if (tracee is not null)
            {
                verdict = AskTracer(tracee, ref info, out action);
                restart = TracedCalls.RestartOf(task.Registers);
            }
            else if (info.Signal == Signal.None)
            {
                task.ParkUninterruptibly();
                continue;
            }

            if (verdict == Verdict.End)
            {
                return false;
            }

            if (verdict == Verdict.Pass)
            {
                continue;
            }

            task.Kernel.Dispatcher.OnHandler(task, info);
            PrepareRestart(task, restart, action);
            restart = Errno.None;
            if (!Invoke(task, action, info))
            {
                lock (task.Kernel.TaskLock)
                {
                    SignalSender.Force(task, SignalInfo.FromKernel(Signal.SIGSEGV));
                    if (info.Signal == Signal.SIGSEGV)
                    {
                        group.Actions[Signal.SIGSEGV] = default;
                    }
                }
            }
        }

        if (restart != Errno.None)
        {
            // No handler ran: the call is made again.
            task.Registers.Rip -= SyscallLength;
            task.Registers.Rax = restart == Errno.ERESTART_RESTARTBLOCK ? (ulong)SyscallNumber.restart_syscall : task.Registers.OrigRax;
        }

        if (task.Signals.SavedMask is { } saved)
        {
            lock (task.Kernel.TaskLock)
            {
                task.Signals.SetBlocked(saved);
                task.Signals.SavedMask = null;
            }

            return !task.Signals.NeedsHandling || Run(task, Errno.None);
        }

        return true;
    }

    // Stops for what is due, or shows the tracer the signal that has been taken.
    private static Verdict AskTracer(Tracee tracee, ref SignalInfo info, out SignalAction action)
    {
        action = default;
        if (info.Signal == Signal.None)
        {
            TraceStops.Trap(tracee);
            return Verdict.Pass;
        }

        if (info.Signal != Signal.SIGKILL && !TraceStops.Delivery(tracee, ref info))
        {
            return Verdict.Pass;
        }

        lock (tracee.Task.Kernel.TaskLock)
        {
            return TraceStops.IsKilled(tracee.Task) ? Verdict.End
                : SignalSender.IsSpared(tracee.Task.ThreadGroup, info.Signal) && DefaultActions.Of(info.Signal) != DefaultAction.Stop ? Verdict.Pass
                : Decide(tracee.Task, info, out action);
        }
    }

    // What is to be done about a signal; what needs no handler is done. Under the task lock.
    private static Verdict Decide(GuestTask task, in SignalInfo info, out SignalAction action)
    {
        SignalActions actions = task.ThreadGroup.Actions;
        action = actions[info.Signal];
        if (action.IsIgnore)
        {
            return Verdict.Pass;
        }

        if (action.IsDefault)
        {
            return ActByDefault(task, info) ? Verdict.Pass : Verdict.End;
        }

        if ((action.Flags & SignalAction.ResetHandler) != 0)
        {
            actions[info.Signal] = action with { Handler = 0 };
        }

        return Verdict.Handle;
    }

    private static bool Invoke(GuestTask task, in SignalAction action, in SignalInfo info)
    {
        Tracee? stepping = task.Tracee is { HasForcedTrapFlag: true } tracee ? tracee : null;
        if (stepping is not null)
        {
            TraceSteps.Hide(stepping); // the frame shows the flags as they are
        }

        SignalSet restore = task.Signals.SavedMask ?? task.Signals.Blocked;
        if (!SignalFrame.Push(task, action, info, restore))
        {
            return false;
        }

        lock (task.Kernel.TaskLock)
        {
            task.Signals.SavedMask = null;
            SignalSet blocked = task.Signals.Blocked | action.Mask;
            task.Signals.SetBlocked((action.Flags & SignalAction.NoDefer) != 0 ? blocked : blocked | SignalSet.Of(info.Signal));
        }

        if (stepping is { Steps: true })
        {
            TraceStops.Handler(stepping);
        }
        else if (stepping is not null)
        {
            TraceSteps.Continue(stepping);
        }

        return true;
    }

    // A handler will run: the interrupted call is made again behind it, or has failed with EINTR (signal(7)).
    private static void PrepareRestart(GuestTask task, Errno restart, in SignalAction action)
    {
        bool again = restart switch
        {
            Errno.ERESTARTNOINTR => true,
            Errno.ERESTARTSYS => (action.Flags & SignalAction.Restart) != 0,
            _ => false,
        };
        if (again)
        {
            task.Registers.Rip -= SyscallLength;
            task.Registers.Rax = task.Registers.OrigRax;
        }
        else if (restart != Errno.None)
        {
            task.Registers.Rax = unchecked((ulong)-(long)Errno.EINTR);
        }
    }

    // Under the task lock.
    private static bool ActByDefault(GuestTask task, in SignalInfo info)
    {
        ThreadGroup group = task.ThreadGroup;
        switch (DefaultActions.Of(info.Signal))
        {
            case DefaultAction.Ignore or DefaultAction.Continue:
                return true;
            case DefaultAction.Stop:
                if ((info.Signal == Signal.SIGSTOP || !group.ProcessGroup.IsOrphaned) && task.Tracee is not { StopCounts: false })
                {
                    StopGroup(task, info.Signal);
                }

                return true;
            case DefaultAction.Core:
                // The core bit says that a core would have been written; RLIMIT_CORE is 0 unless somebody raises it.
                ProcessExit.EndGroup(group, (int)info.Signal | (group.Limits.Get(ResourceLimits.Core).Current > 0 ? 0x80 : 0));
                return false;
            default:
                ProcessExit.EndGroup(group, (int)info.Signal);
                return false;
        }
    }

    // A traced task may have gone on though its group is stopped, and then be stopped once more: nobody but its tracer hears of that.
    private static void StopGroup(GuestTask task, Signal signal)
    {
        ThreadGroup group = task.ThreadGroup;
        bool isNew = !group.IsStopped;
        if (isNew)
        {
            group.IsStopped = true;
            group.StopSignal = signal;
            group.StopUnreported = true;
            group.ContinueUnreported = false;
        }

        foreach (GuestTask other in group.Tasks)
        {
            other.Tracee?.JoinGroupStop(signal, isOwn: other == task);
            if (other != task)
            {
                SignalSender.Wake(other);
            }
        }

        if (isNew && task.Tracee is not { IsForeign: false })
        {
            ProcessExit.NotifyParent(group, ProcessExit.ChildStopped, (int)signal);
        }
    }

    private enum Verdict
    {
        /// <summary>Nothing more is to be done.</summary>
        Pass,

        /// <summary>A handler is to run.</summary>
        Handle,

        /// <summary>The task ends.</summary>
        End,
    }
}
