using Moat.Kernel.Signals;
using Moat.Linux;

namespace Moat.Kernel.Tasks;

/// <summary>Controlling terminals and job control (credentials(7), tty_ioctl(4)): which session a terminal controls, which group is in front, who may use it. Methods take
/// <see cref="SentryKernel.TaskLock"/> unless they say that the caller holds it.</summary>
public static class JobControl
{
    /// <summary>A process's controlling terminal, or null. Under the task lock.</summary>
    public static ITerminal? TerminalOf(ThreadGroup group) => group.HasLeftTerminal ? null : group.ProcessGroup.Session.Terminal;

    /// <summary>The caller's controlling terminal, or null.</summary>
    public static ITerminal? TerminalOf(GuestTask task)
    {
        lock (task.Kernel.TaskLock)
        {
            return TerminalOf(task.ThreadGroup);
        }
    }

    /// <summary>Whether the caller may use a terminal: somebody in the background gets SIGTTIN or SIGTTOU instead, with the whole group.</summary>
    /// <returns>ERESTARTSYS when the signal was sent; EIO when a reader ignores it, or nobody could continue the group.</returns>
    public static Errno Check(GuestTask task, ITerminal terminal, Signal signal)
    {
        lock (task.Kernel.TaskLock)
        {
            ProcessGroup group = task.ThreadGroup.ProcessGroup;
            if (TerminalOf(task.ThreadGroup) != terminal || terminal.ForegroundGroup is null || terminal.ForegroundGroup == group)
            {
                return Errno.None;
            }

            if (task.Signals.Blocked.Contains(signal) || task.ThreadGroup.Actions[signal].IsIgnore)
            {
                return signal == Signal.SIGTTIN ? Errno.EIO : Errno.None;
            }

            if (group.IsOrphaned)
            {
                return Errno.EIO;
            }

            SignalSender.SendToGroup(group, SignalInfo.FromKernel(signal));
            return Errno.ERESTARTSYS;
        }
    }

    /// <summary>TIOCSCTTY: makes a terminal the caller's controlling terminal.</summary>
    /// <param name="task">The caller: a session leader without a terminal.</param>
    /// <param name="terminal">The terminal.</param>
    /// <param name="takesAway">Whether a privileged caller takes it from another session.</param>
    /// <param name="mayRead">Whether it is open for reading, or the caller is privileged.</param>
    public static Errno SetControlling(GuestTask task, ITerminal terminal, bool takesAway, bool mayRead)
    {
        lock (task.Kernel.TaskLock)
        {
            Session session = task.ThreadGroup.ProcessGroup.Session;
            bool isLeader = session.Id == task.ThreadGroup.Id;
            if (isLeader && terminal.Session == session)
            {
                return Errno.None;
            }

            if (!isLeader || TerminalOf(task.ThreadGroup) is not null || (terminal.Session is not null && !takesAway) || !mayRead)
            {
                return Errno.EPERM;
            }

            if (terminal.Session is { } loser)
            {
                loser.Terminal = null;
            }

            Attach(task, terminal);
            return Errno.None;
        }
    }

    /// <summary>open(2) of a terminal without O_NOCTTY: a session leader that has none gets it, if it controls no other session.</summary>
    public static void OnOpen(GuestTask task, ITerminal terminal)
    {
        lock (task.Kernel.TaskLock)
        {
            Session session = task.ThreadGroup.ProcessGroup.Session;
            if (session.Id == task.ThreadGroup.Id && TerminalOf(task.ThreadGroup) is null && terminal.Session is null)
            {
                Attach(task, terminal);
            }
        }
    }

    /// <summary>TIOCNOTTY: the caller gives its controlling terminal up; a session leader for the whole session.</summary>
    /// <returns>ENOTTY if it is not the caller's terminal.</returns>
    public static Errno GiveUp(GuestTask task, ITerminal terminal)
    {
        lock (task.Kernel.TaskLock)
        {
            if (TerminalOf(task.ThreadGroup) != terminal)
            {
                return Errno.ENOTTY;
            }

            Session session = task.ThreadGroup.ProcessGroup.Session;
            if (session.Id != task.ThreadGroup.Id)
            {
                task.ThreadGroup.HasLeftTerminal = true;
                return Errno.None;
            }

            if (terminal.ForegroundGroup is { } foreground)
            {
                SignalSender.SendToGroup(foreground, SignalInfo.FromKernel(Signal.SIGHUP));
                SignalSender.SendToGroup(foreground, SignalInfo.FromKernel(Signal.SIGCONT));
            }

            Release(session, terminal);
            return Errno.None;
        }
    }

    /// <summary>A terminal has hung up: its session loses it and the session's leader is told.</summary>
    public static void HangUp(SentryKernel kernel, ITerminal terminal)
    {
        lock (kernel.TaskLock)
        {
            if (terminal.Session is not { } session)
            {
                return;
            }

            session.FormerForeground = terminal.ForegroundGroup;
            Release(session, terminal);
            if (kernel.Pids.FindProcess(session.Id.In(kernel.Pids)) is { } leader && leader.ProcessGroup.Session == session)
            {
                SignalSender.SendToProcess(leader, SignalInfo.FromKernel(Signal.SIGHUP));
                SignalSender.SendToProcess(leader, SignalInfo.FromKernel(Signal.SIGCONT));
            }
        }
    }

    /// <summary>TIOCGPGRP: the foreground group's number, 0 if there is none.</summary>
    /// <param name="task">The caller.</param>
    /// <param name="terminal">The terminal.</param>
    /// <param name="fromMaster">Whether it is asked of the other side, where anybody may ask.</param>
    /// <returns>ENOTTY if it is not the caller's controlling terminal.</returns>
    public static Result<int> GetForeground(GuestTask task, ITerminal terminal, bool fromMaster)
    {
        lock (task.Kernel.TaskLock)
        {
            return !fromMaster && TerminalOf(task.ThreadGroup) != terminal ? Errno.ENOTTY : terminal.ForegroundGroup?.Id.In(task.Pids) ?? 0;
        }
    }

    /// <summary>TIOCSPGRP, after <see cref="Check"/>.</summary>
    /// <returns>ENOTTY if it is not the caller's controlling terminal, ESRCH, EPERM for a group of another session.</returns>
    public static Errno SetForeground(GuestTask task, ITerminal terminal, int groupId)
    {
        lock (task.Kernel.TaskLock)
        {
            Session session = task.ThreadGroup.ProcessGroup.Session;
            if (TerminalOf(task.ThreadGroup) != terminal || terminal.Session != session)
            {
                return Errno.ENOTTY;
            }

            if (session.Groups.Find(candidate => candidate.Id.In(task.Pids) == groupId) is not { } group)
            {
                return task.Pids.IsInUse(groupId) ? Errno.EPERM : Errno.ESRCH;
            }

            terminal.ForegroundGroup = group;
            return Errno.None;
        }
    }

    /// <summary>TIOCGSID: the number of the session it controls.</summary>
    /// <returns>ENOTTY if there is none, or it is not the caller's.</returns>
    public static Result<int> GetSession(GuestTask task, ITerminal terminal, bool fromMaster)
    {
        lock (task.Kernel.TaskLock)
        {
            return (!fromMaster && TerminalOf(task.ThreadGroup) != terminal) || terminal.Session is null ? Errno.ENOTTY : terminal.Session.Id.In(task.Pids);
        }
    }

    /// <summary>Sends signals to the foreground group, if there is one.</summary>
    public static void SendToForeground(SentryKernel kernel, ITerminal terminal, SignalSet signals)
    {
        if (signals.IsEmpty)
        {
            return;
        }

        lock (kernel.TaskLock)
        {
            for (Signal signal = Signal.SIGHUP; terminal.ForegroundGroup is { } group && signal < Signal.SIGRTMIN; signal++)
            {
                if (signals.Contains(signal))
                {
                    SignalSender.SendToGroup(group, SignalInfo.FromKernel(signal));
                }
            }
        }
    }

    /// <summary>A session leader ends: its terminal is free, and whoever was in front is hung up. Under the task lock.</summary>
    internal static void OnLeaderExit(ThreadGroup leader)
    {
        Session session = leader.ProcessGroup.Session;
        if (session.Terminal is { } terminal)
        {
            if (terminal.ForegroundGroup is { } foreground)
            {
                SignalSender.SendToGroup(foreground, SignalInfo.FromKernel(Signal.SIGHUP));
            }

            Release(session, terminal);
        }
        else if (session.FormerForeground is { } former)
        {
            SignalSender.SendToGroup(former, SignalInfo.FromKernel(Signal.SIGHUP));
            SignalSender.SendToGroup(former, SignalInfo.FromKernel(Signal.SIGCONT));
        }

        session.FormerForeground = null;
    }

    private static void Attach(GuestTask task, ITerminal terminal)
    {
        ProcessGroup group = task.ThreadGroup.ProcessGroup;
        task.ThreadGroup.HasLeftTerminal = false;
        group.Session.Terminal = terminal;
        terminal.Session = group.Session;
        terminal.ForegroundGroup = group;
    }

    private static void Release(Session session, ITerminal terminal)
    {
        session.Terminal = null;
        terminal.Session = null;
        terminal.ForegroundGroup = null;
        terminal.OnReleased();
    }
}
