using Moat.Control;
using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Sentry;

/// <summary>Carries out what the command line asks of a sandbox.</summary>
internal sealed class SandboxControl(Sandbox sandbox, DebugLog log) : IControlHandler
{
    private const int DestroyTimeoutMs = 8_000; // less than the command line waits

    /// <inheritdoc/>
    public ControlReply Handle(ControlRequest request, List<int> descriptors, CancellationToken callerGone)
    {
        log.Debug($"control: {request.Method} {request.Container} pid {request.Pid} signal {request.Signal} {request.Scope}");
        if (request.Method == ControlMethod.Add)
        {
            return Add(request, descriptors);
        }

        if (sandbox.Find(request.Container) is not { } container)
        {
            return ControlReply.Fail(Errno.ESRCH, "container not running");
        }

        return request.Method switch
        {
            ControlMethod.State => new ControlReply { Status = container.Status, Pid = container.Init.Pid },
            ControlMethod.Prepare => container.Prepare(out int code) is { } fault ? ControlReply.Fail(Errno.ENOEXEC, fault) with { ExitCode = code } : new ControlReply(),
            ControlMethod.Network => TakeNetwork(descriptors),
            ControlMethod.Start => Start(container),
            ControlMethod.Exec => Execute(container, request, descriptors),
            ControlMethod.Wait => Wait(container, request, callerGone),
            ControlMethod.Signal => ContainerSignals.Send(container, request),
            ControlMethod.Processes => new ControlReply { Processes = ContainerReports.ListProcesses(container.Group) },
            ControlMethod.Statistics => new ControlReply { Statistics = ContainerReports.Count(container.Group, container == sandbox.First) },
            ControlMethod.Memory => new ControlReply { Memory = CountMemory() },
            ControlMethod.Pause => SetPaused(container, isPaused: true),
            ControlMethod.Resume => SetPaused(container, isPaused: false),
            ControlMethod.Destroy => Destroy(container, request.Container),
            _ => ControlReply.Fail(Errno.ENOSYS, $"{request.Method} is not supported"),
        };
    }

    private ControlReply Add(ControlRequest request, List<int> descriptors)
    {
        if (request is not { Container: { } id, Config: { } config })
        {
            return ControlReply.Fail(Errno.EINVAL, "a container needs an id and a configuration");
        }

        int[] taken = [.. descriptors];
        descriptors.Clear(); // the container has them now
        return sandbox.Add(id, config, taken, out SandboxContainer? added) is { } fault ? ControlReply.Fail(Errno.EINVAL, fault) : new ControlReply { Ignored = added!.IgnoredSettings };
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

    private ControlReply Start(SandboxContainer container)
    {
        if (container != sandbox.First && sandbox.First.Status != SandboxStatus.Running)
        {
            return ControlReply.Fail(Errno.EINVAL, "the sandbox's first container is not running");
        }

        if (container.Start(out int exitCode) is { } error)
        {
            return ControlReply.Fail(Errno.EINVAL, error) with { ExitCode = exitCode };
        }

        if (container == sandbox.First)
        {
            new StartupTrim(sandbox.Kernel).Begin();
        }

        return new ControlReply { Pid = container.Init.Pid };
    }

    private static ControlReply Execute(SandboxContainer container, ControlRequest request, List<int> descriptors)
    {
        if (request.Process is not { Args.Count: > 0 } process || descriptors.Count < 3)
        {
            return ControlReply.Fail(Errno.EINVAL, "exec needs a process and its descriptors");
        }

        int[] taken = [.. descriptors];
        descriptors.Clear(); // the process has them now
        return container.Execute(process, taken, out int pid, out int exitCode) is { } fault ? ControlReply.Fail(Errno.ENOEXEC, fault) with { ExitCode = exitCode } : new ControlReply { Pid = pid };
    }

    private static ControlReply Wait(SandboxContainer container, ControlRequest request, CancellationToken callerGone)
    {
        bool isFirst = request.Pid == 0 || request.Pid == container.Init.Pid;
        if (!isFirst && !container.Watch.Knows(request.Pid))
        {
            return ControlReply.Fail(Errno.ESRCH, $"there is no process {request.Pid} that was started from outside");
        }

        if (isFirst ? container.Watch.TryWait(callerGone, out int status) : container.Watch.TryWait(request.Pid, callerGone, out status))
        {
            return new ControlReply { ExitCode = status };
        }

        if (request.KillWithCaller)
        {
            ContainerSignals.Send(container, new ControlRequest { Method = ControlMethod.Signal, Pid = request.Pid, Signal = (int)Signal.SIGKILL });
        }

        return ControlReply.Fail(Errno.EINTR, "the caller has gone");
    }

    private static ControlReply SetPaused(SandboxContainer container, bool isPaused)
    {
        lock (container.Group.Kernel.TaskLock)
        {
            container.Group.SetPaused(isPaused);
        }

        return new ControlReply();
    }

    private ControlReply Destroy(SandboxContainer container, string? id)
    {
        if (container == sandbox.First)
        {
            container.Watch.End(128 + (int)Signal.SIGKILL);
            return new ControlReply();
        }

        return sandbox.Remove(id!, container, DestroyTimeoutMs) ? new ControlReply() : ControlReply.Fail(Errno.EBUSY, $"container \"{id}\" does not end");
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
}
