using Moat.Control;
using Moat.Kernel;
using Moat.Kernel.Signals;
using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Sentry;

/// <summary>Carries out what the command line asks of a sandbox.</summary>
internal sealed class SandboxControl(Sandbox sandbox, DebugLog log) : IControlHandler
{
    private const long NanosecondsPerSecond = 1_000_000_000;
    private const long NanosecondsPerMillisecond = 1_000_000;

    /// <inheritdoc/>
    public ControlReply Handle(ControlRequest request, List<int> descriptors, CancellationToken callerGone)
    {
        log.Debug($"control: {request.Method} pid {request.Pid} signal {request.Signal} {request.Scope}");
        return request.Method switch
        {
            ControlMethod.State => new ControlReply { Status = sandbox.Status, Pid = sandbox.Kernel.Init?.Pid ?? 0 },
            ControlMethod.Prepare => sandbox.Prepare(out int code) is { } fault ? ControlReply.Fail(Errno.ENOEXEC, fault) with { ExitCode = code } : new ControlReply(),
            ControlMethod.Network => TakeNetwork(descriptors),
            ControlMethod.Start => Start(),
            ControlMethod.Exec => Execute(request, descriptors),
            ControlMethod.Wait => Wait(request, callerGone),
            ControlMethod.Signal => SendSignal(request),
            ControlMethod.Processes => new ControlReply { Processes = ListProcesses() },
            ControlMethod.Statistics => new ControlReply { Statistics = Count() },
            ControlMethod.Memory => new ControlReply { Memory = CountMemory() },
            ControlMethod.Destroy => Destroy(),
            _ => ControlReply.Fail(Errno.ENOSYS, $"{request.Method} is not supported yet"),
        };
    }

    private ControlReply TakeNetwork(List<int> descriptors)
    {
        if (descriptors.Count is not (1 or 3 or 4) || (descriptors.Count == 1) != sandbox.UsesHostNetwork)
        {
            return ControlReply.Fail(Errno.EINVAL, "the network needs its sockets");
        }

        int[] taken = [.. descriptors];
        descriptors.Clear(); // the stack has them now
        return sandbox.TakeNetwork(taken) is { } fault ? ControlReply.Fail(Errno.EINVAL, fault) : new ControlReply();
    }

    private ControlReply Start()
    {
        return sandbox.Start(out int exitCode) is { } error ? ControlReply.Fail(Errno.EINVAL, error) with { ExitCode = exitCode } : new ControlReply { Pid = sandbox.Kernel.Init!.Pid };
    }

    private ControlReply Execute(ControlRequest request, List<int> descriptors)
    {
        if (request.Process is not { Args.Count: > 0 } process || descriptors.Count < 3)
        {
            return ControlReply.Fail(Errno.EINVAL, "exec needs a process and its descriptors");
        }

        int[] taken = [.. descriptors];
        descriptors.Clear(); // the process has them now
        return sandbox.Execute(process, taken, out int pid, out int exitCode) is { } fault ? ControlReply.Fail(Errno.ENOEXEC, fault) with { ExitCode = exitCode } : new ControlReply { Pid = pid };
    }

    private ControlReply Wait(ControlRequest request, CancellationToken callerGone)
    {
        bool isFirst = request.Pid == 0 || request.Pid == sandbox.Kernel.Init?.Pid;
        if (!isFirst && !sandbox.Watch.Knows(request.Pid))
        {
            return ControlReply.Fail(Errno.ESRCH, $"there is no process {request.Pid} that was started from outside");
        }

        if (isFirst ? sandbox.Watch.TryWait(callerGone, out int status) : sandbox.Watch.TryWait(request.Pid, callerGone, out status))
        {
            return new ControlReply { ExitCode = status };
        }

        if (request.KillWithCaller)
        {
            SendSignal(new ControlRequest { Method = ControlMethod.Signal, Pid = request.Pid, Signal = (int)Signal.SIGKILL });
        }

        return ControlReply.Fail(Errno.EINTR, "the caller has gone");
    }

    private ControlReply SendSignal(ControlRequest request)
    {
        if (request.Signal is < 0 or > 64)
        {
            return ControlReply.Fail(Errno.EINVAL, $"there is no signal {request.Signal}");
        }

        // A container that was not started ends when its process would.
        if (sandbox.Status == SandboxStatus.Created)
        {
            if (request.Signal is (int)Signal.SIGKILL or (int)Signal.SIGTERM)
            {
                sandbox.End(128 + request.Signal);
            }

            return new ControlReply();
        }

        SignalInfo info = SignalInfo.FromSender((Signal)request.Signal, 0, 0, 0);
        lock (sandbox.Kernel.TaskLock)
        {
            bool wasKilling = sandbox.Kernel.IsKillingInit;
            sandbox.Kernel.IsKillingInit |= request.ReachesFirst;
            ControlReply reply = SendLocked(request, info);
            sandbox.Kernel.IsKillingInit &= wasKilling || request.Signal == (int)Signal.SIGKILL;
            return reply;
        }
    }

    private ControlReply SendLocked(ControlRequest request, SignalInfo info)
    {
        SentryKernel kernel = sandbox.Kernel;
        if (request.Scope == SignalScope.All)
        {
            kernel.IsKillingInit |= request.Signal == (int)Signal.SIGKILL;
            foreach (ThreadGroup process in kernel.Pids.ListProcesses())
            {
                Send(process, info);
            }

            return new ControlReply();
        }

        if (request.Scope == SignalScope.Group)
        {
            bool hasFound = false;
            foreach (ThreadGroup process in kernel.Pids.ListProcesses())
            {
                if (process.ProcessGroup.Id == request.Pid)
                {
                    hasFound = true;
                    Send(process, info);
                }
            }

            return hasFound ? new ControlReply() : ControlReply.Fail(Errno.ESRCH, $"there is no process group {request.Pid}");
        }

        ThreadGroup? target = request.Pid == 0 ? kernel.Init : kernel.Pids.FindProcess(request.Pid);
        if (target is null || target.IsZombie)
        {
            return ControlReply.Fail(Errno.ESRCH, $"there is no process {request.Pid}");
        }

        if (request.Scope == SignalScope.Foreground && JobControl.TerminalOf(target)?.ForegroundGroup is { } front)
        {
            return SendToFront(front, (Signal)request.Signal);
        }

        kernel.IsKillingInit |= target == kernel.Init && request.Signal == (int)Signal.SIGKILL;
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

    private List<GuestProcess> ListProcesses()
    {
        List<GuestProcess> list = [];
        long now = sandbox.Kernel.Clock.MonotonicNs;
        long nowSeconds = sandbox.Kernel.Clock.RealtimeNs / NanosecondsPerSecond;
        lock (sandbox.Kernel.TaskLock)
        {
            foreach (ThreadGroup process in sandbox.Kernel.Pids.ListProcesses())
            {
                list.Add(new GuestProcess
                {
                    Uid = process.Leader.Credentials.EffectiveUid,
                    Pid = process.Pid,
                    ParentPid = process.Parent?.Pid ?? 0,
                    StartTimeSeconds = nowSeconds - ((now - process.StartNs) / NanosecondsPerSecond),
                    CpuTimeMs = process.CpuNs / NanosecondsPerMillisecond,
                    Terminal = JobControl.TerminalOf(process) is { } terminal ? $"pts/{terminal.Device.Minor}" : "?",
                    Command = process.Leader.Name,
                });
            }
        }

        return list;
    }

    private SandboxStatistics Count()
    {
        long cpu = 0;
        lock (sandbox.Kernel.TaskLock)
        {
            foreach (ThreadGroup process in sandbox.Kernel.Pids.ListProcesses())
            {
                cpu += process.CpuNs;
            }
        }

        return new SandboxStatistics { CpuUserNs = cpu, TaskCount = sandbox.Kernel.Pids.Count, MemoryUsageBytes = (long)sandbox.Kernel.MemoryFile.UsedBytes };
    }

    private SandboxMemory CountMemory()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        GCMemoryInfo info = GC.GetGCMemoryInfo();
        return new SandboxMemory
        {
            HeapBytes = GC.GetTotalMemory(forceFullCollection: false),
            CommittedBytes = info.TotalCommittedBytes,
            AllocatedBytes = GC.GetTotalAllocatedBytes(),
            Collections = GC.CollectionCount(0), // a collection of an older generation collects the younger ones
            ApplicationBytes = (long)sandbox.Kernel.MemoryFile.UsedBytes,
            TaskCount = sandbox.Kernel.Pids.Count,
        };
    }

    private ControlReply Destroy()
    {
        sandbox.End(128 + (int)Signal.SIGKILL);
        return new ControlReply();
    }
}
