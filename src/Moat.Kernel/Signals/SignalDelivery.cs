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
            SignalInfo info;
            SignalAction action;
            lock (task.Kernel.TaskLock)
            {
                if (group.IsExiting || (group.Executing is { } executing && executing != task))
                {
                    return false;
                }

                if (group.IsStopped)
                {
                    info = default;
                    action = default;
                }
                else if (!task.Signals.TryTake(~task.Signals.Blocked, out info))
                {
                    break;
                }
                else
                {
                    action = group.Actions[info.Signal];
                    if (action.IsIgnore)
                    {
                        continue;
                    }

                    if (action.IsDefault)
                    {
                        if (!ActByDefault(task, info))
                        {
                            return false;
                        }

                        continue;
                    }

                    if ((action.Flags & SignalAction.ResetHandler) != 0)
                    {
                        group.Actions[info.Signal] = action with { Handler = 0 };
                    }
                }
            }

            if (info.Signal == Signal.None)
            {
                task.ParkUninterruptibly();
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

    private static bool Invoke(GuestTask task, in SignalAction action, in SignalInfo info)
    {
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
                if (info.Signal != Signal.SIGSTOP && group.ProcessGroup.IsOrphaned)
                {
                    return true;
                }

                group.IsStopped = true;
                group.StopSignal = info.Signal;
                group.StopUnreported = true;
                group.ContinueUnreported = false;
                foreach (GuestTask other in group.Tasks)
                {
                    if (other != task)
                    {
                        SignalSender.Wake(other);
                    }
                }

                ProcessExit.NotifyParent(group, ProcessExit.ChildStopped, (int)info.Signal);
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
}
