using Moat.Control;
using Moat.Kernel.Signals;
using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Sentry;

/// <summary>Signals from outside for the processes of a container.</summary>
internal static class ContainerSignals
{
    /// <summary>Sends what a request says.</summary>
    public static ControlReply Send(SandboxContainer container, ControlRequest request)
    {
        if (request.Signal is < 0 or > 64)
        {
            return ControlReply.Fail(Errno.EINVAL, $"there is no signal {request.Signal}");
        }

        // A container that was not started ends when its process would.
        if (container.Status == SandboxStatus.Created)
        {
            if (request.Signal is (int)Signal.SIGKILL or (int)Signal.SIGTERM)
            {
                container.Watch.End(128 + request.Signal);
            }

            return new ControlReply();
        }

        SignalInfo info = SignalInfo.FromSender((Signal)request.Signal, 0, 0, 0);
        PidNamespace pids = container.Group.Pids;
        lock (container.Group.Kernel.TaskLock)
        {
            bool wasKilling = pids.IsKillingInit;
            pids.IsKillingInit |= request.ReachesFirst;
            ControlReply reply = SendLocked(container, request, info);
            pids.IsKillingInit &= wasKilling || request.Signal == (int)Signal.SIGKILL;
            return reply;
        }
    }

    private static ControlReply SendLocked(SandboxContainer container, ControlRequest request, SignalInfo info)
    {
        GuestContainer group = container.Group;
        if (request.Scope == SignalScope.All)
        {
            group.Pids.IsKillingInit |= request.Signal == (int)Signal.SIGKILL;
            foreach (ThreadGroup process in group.ListProcesses())
            {
                Send(process, info);
            }

            return new ControlReply();
        }

        if (request.Scope == SignalScope.Group)
        {
            bool hasFound = false;
            foreach (ThreadGroup process in group.ListProcesses())
            {
                if (process.ProcessGroup.Id.In(group.Pids) == request.Pid)
                {
                    hasFound = true;
                    Send(process, info);
                }
            }

            return hasFound ? new ControlReply() : ControlReply.Fail(Errno.ESRCH, $"there is no process group {request.Pid}");
        }

        ThreadGroup? target = request.Pid == 0 ? container.Init : group.Pids.FindProcess(request.Pid);
        if (target is null || target.IsZombie || target.Container != group)
        {
            return ControlReply.Fail(Errno.ESRCH, $"there is no process {request.Pid}");
        }

        if (request.Scope == SignalScope.Foreground && JobControl.TerminalOf(target)?.ForegroundGroup is { } front)
        {
            return SendToFront(front, (Signal)request.Signal);
        }

        group.Pids.IsKillingInit |= target == group.Pids.Init && request.Signal == (int)Signal.SIGKILL;
        Send(target, info);
        return new ControlReply();
    }

    // A group that nobody in the sandbox could continue is not stopped; the caller's own shell can continue the caller.
    private static ControlReply SendToFront(ProcessGroup front, Signal signal)
    {
        if (signal == Signal.SIGTSTP && front.IsOrphaned && front.Members.TrueForAll(static member => member.Actions[Signal.SIGTSTP].IsDefault))
        {
            return new ControlReply { StopsCaller = true };
        }

        if (signal != Signal.None)
        {
            SignalSender.SendToGroup(front, SignalInfo.FromKernel(signal));
        }

        return new ControlReply();
    }

    private static void Send(ThreadGroup process, SignalInfo info)
    {
        if (info.Signal != Signal.None)
        {
            SignalSender.SendToProcess(process, info);
        }
    }
}
