using Moat.Control;
using Moat.Filesystems.Dev;
using Moat.Filesystems.EventFiles;
using Moat.Filesystems.HostFd;
using Moat.Filesystems.Pipe;
using Moat.Filesystems.Proc;
using Moat.Filesystems.Tmpfs;
using Moat.Filesystems.Tty;
using Moat.Host;
using Moat.Kernel;
using Moat.Kernel.Credentials;
using Moat.Kernel.Ipc;
using Moat.Kernel.Namespaces;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;
using Moat.Netstack;
using Moat.Oci;
using Moat.Platform;
using Moat.Sentry.Network;
using Moat.Sockets;
using Moat.Sockets.Tun;
using Moat.Syscalls;
using Moat.Syscalls.Strace;

namespace Moat.Sentry;

/// <summary>A sandbox: kernel, platform, file systems and containers, put together. This is the one place that knows which concrete ones there are.</summary>
public sealed class Sandbox : IDisposable
{
    private const int BugStatus = 128;
    private const int MaxContainers = 512;

    private readonly SandboxOptions _options;
    private readonly IPlatform _platform;
    private readonly SentryKernel _kernel;
    private readonly NetworkStack _stack;
    private readonly SocketNetwork _network;
    private readonly UserNamespace _users = new(null);
    private readonly HostFdFilesystem _streams;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, SandboxContainer> _containers = []; // guarded by _lock
    private bool _hasNetwork; // guarded by _lock

    /// <summary>Builds everything up to the first process; nothing of it runs yet.</summary>
    /// <exception cref="InvalidOperationException">The host refuses something that is needed, or the configuration asks for what cannot be had.</exception>
    public Sandbox(SandboxOptions options)
    {
        _options = options;
        _platform = PlatformChoice.Open(options.Flags, out string? note);
        PlatformNote = note;
        HostClock clock = new();
        HostFacts facts = new()
        {
            ProcessorCount = options.Facts.ProcessorCount,
            MemoryBytes = options.Facts.MemoryBytes,
            BootMonotonicNs = clock.MonotonicNs,
            BootRealtimeNs = clock.RealtimeNs,
            TaskLimit = options.Facts.MaxTasks,
        };
        StraceLog? strace = options.Flags.Strace ? new StraceLog(options.Log, clock, ToNumbers(options.Flags.StraceSyscalls), options.Flags.StraceLogSize) : null;
        SyscallTable table = SyscallTable.Create();
        if (options.Flags.BugInSyscall.Length > 0)
        {
            table.BreakForTest(ToNumber(options.Flags.BugInSyscall, "-TESTONLY-bug-in-syscall"));
        }

        ISyscallDispatcher dispatcher = new SyscallDispatcher(table, options.Log, strace);
        if (options.Flags.CountAllocations)
        {
            dispatcher = Allocations = new AllocationMeter(dispatcher);
        }

        _kernel = new SentryKernel(_platform, new MemoryFile(options.Facts.MemoryBytes), clock, options.Log, new HostRandom(), facts, dispatcher) { OnBug = OnBug };
        _kernel.AnonymousFiles = new AnonymousFilesystem(_kernel);
        _kernel.MemoryFiles = new TmpfsFilesystem(_kernel, new TmpfsOptions());
        _kernel.Fifos = new PipeFilesystem(_kernel);
        SocketFilesystem sockets = new(_kernel);
        _network = NetworkSetup.Create(new SocketNetworks(_kernel, sockets), _users, UsesHostNetwork ? new PassthroughPoller(options.Log) : null);
        _stack = _network.Stack;
        _kernel.SocketFiles = sockets;
        _kernel.NamespaceFiles = new NamespaceFilesystem(new DeviceNumber(0, (uint)_kernel.NextAnonymousDevice()), clock);
        MemoryDevices.Register(_kernel.Devices);
        TerminalDevices.Register(_kernel);
        TunDevice.Register(_kernel.Devices);
        MountableTypes.Register(_kernel);
        _streams = new HostFdFilesystem(new DeviceNumber(0, (uint)_kernel.NextAnonymousDevice()));
        ProcessWatch watch = new();
        PidNamespace pids = new(_kernel.Pids, NamespaceIds.FirstPid);
        IpcNamespace ipc = new(_kernel, NamespaceIds.FirstIpc);
        UtsNamespace uts = UtsOf(options.Spec, NamespaceIds.FirstUts);
        First = new SandboxContainer(new GuestContainer(_kernel, pids, ipc, watch), watch, options, uts, _users, _network, _streams, NamespaceIds.FirstMount);
        _containers.Add(options.ContainerId, First);
    }

    /// <summary>The kernel.</summary>
    internal SentryKernel Kernel => _kernel;

    /// <summary>The container that the sandbox was made for, and with which it ends.</summary>
    internal SandboxContainer First { get; }

    /// <summary>What system calls allocated, if that is counted.</summary>
    internal AllocationMeter? Allocations { get; }

    /// <summary>Why the platform is not the best one; null if it is, or was asked for.</summary>
    internal string? PlatformNote { get; }

    /// <summary>The bug that ended the sandbox, in one line, if one did.</summary>
    internal string? Bug { get; private set; }

    /// <summary>Whether sockets of the guest are the host's.</summary>
    internal bool UsesHostNetwork => _options.Flags.Network == "host";

    /// <summary>A container; null for the first one's name. Null if there is none.</summary>
    internal SandboxContainer? Find(string? id)
    {
        if (id is null)
        {
            return First;
        }

        lock (_lock)
        {
            return _containers.GetValueOrDefault(id);
        }
    }

    /// <summary>Takes over the first container's network namespace, before its program starts.</summary>
    /// <param name="sockets">As <see cref="ControlMethod.Network"/> says; the sandbox's from now on.</param>
    /// <returns>Why it cannot be; null if it has been.</returns>
    internal string? TakeNetwork(IReadOnlyList<int> sockets)
    {
        lock (_lock)
        {
            if (_hasNetwork || First.Status != SandboxStatus.Created)
            {
                return "the container was started before";
            }

            _hasNetwork = true;
            Errno errno = UsesHostNetwork ? NetworkSetup.Show(_stack, sockets[0], _options.Log) : NetworkSetup.TakeOver(_stack, sockets, _options.Log);
            return errno != Errno.None ? $"network: {errno}" : null;
        }
    }

    /// <summary>Makes another container, up to its first process.</summary>
    /// <param name="id">Its id.</param>
    /// <param name="config">What it is.</param>
    /// <param name="descriptors">What the configuration's numbers stand for; the sandbox's from now on.</param>
    /// <param name="added">The container.</param>
    /// <returns>Why it cannot be; null if it has been made.</returns>
    internal string? Add(string id, ContainerConfig config, IReadOnlyList<int> descriptors, out SandboxContainer? added)
    {
        string? refusal = TryMake(id, config, descriptors, out added);
        if (refusal is not null)
        {
            foreach (int descriptor in descriptors)
            {
                HostMemory.Close(descriptor);
            }

            return refusal;
        }

        lock (_lock)
        {
            if (_containers.TryAdd(id, added!))
            {
                return null;
            }
        }

        added!.Destroy(Timeout.Infinite); // nothing of it runs
        return $"container \"{id}\" is in the sandbox already";
    }

    /// <summary>Ends a container that is not the first, and forgets it.</summary>
    /// <returns>Whether it is gone.</returns>
    internal bool Remove(string id, SandboxContainer container, int timeoutMs)
    {
        if (!container.Destroy(timeoutMs))
        {
            return false;
        }

        lock (_lock)
        {
            _containers.Remove(id);
        }

        return true;
    }

    /// <summary>Waits until the sandbox has ended.</summary>
    /// <returns>The exit code as a shell reports it: the first process's, or 128 and the signal's number.</returns>
    internal int Wait() => First.Watch.Wait();

    /// <summary>A bug of the sandbox: it ends. Any thread.</summary>
    internal void OnBug(string summary)
    {
        Bug ??= summary;
        First.Watch.End(BugStatus);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _platform.Dispose();
        First.Watch.Dispose();
    }

    // The descriptors are the container's if it is made.
    private string? TryMake(string id, ContainerConfig config, IReadOnlyList<int> descriptors, out SandboxContainer? made)
    {
        made = null;
        lock (_lock)
        {
            if (_containers.Count >= MaxContainers || First.Watch.HasEnded)
            {
                return First.Watch.HasEnded ? "the sandbox has ended" : $"the sandbox has {MaxContainers} containers already";
            }
        }

        if (config.Mounts.Count == 0 || config.Mounts.Any(mount => mount.GoferFd < 0 || mount.GoferFd >= descriptors.Count) || config.ProcessFds.Any(fd => fd >= descriptors.Count))
        {
            return "a container needs its descriptors";
        }

        SandboxContainer? pidsOf = null, ipcOf = null, utsOf = null;
        if ((config.PidsOf is { } name && (pidsOf = Find(name)) is null) || ((name = config.IpcOf) is not null && (ipcOf = Find(name)) is null) || ((name = config.UtsOf) is not null && (utsOf = Find(name)) is null))
        {
            return $"container \"{name}\", whose namespace is to be shared, is not in the sandbox";
        }

        SandboxOptions options = new()
        {
            ContainerId = id,
            Spec = config.Spec,
            Flags = _options.Flags with { Overlay2 = config.Flags.Overlay2, FileAccess = config.Flags.FileAccess, FileAccessMounts = config.Flags.FileAccessMounts },
            Facts = _options.Facts,
            Mounts = [.. config.Mounts.Select(mount => mount with { GoferFd = descriptors[mount.GoferFd] })],
            Descriptors = [.. config.ProcessFds.Select(fd => fd < 0 ? -1 : descriptors[fd])],
            Log = _options.Log,
        };
        ProcessWatch watch = new();
        GuestContainer group = new(_kernel, pidsOf?.Group.Pids ?? new PidNamespace(_kernel.Pids, _kernel.NamespaceIds.Next()), ipcOf?.Group.Ipc ?? new IpcNamespace(_kernel, _kernel.NamespaceIds.Next()), watch);
        UtsNamespace uts = utsOf?.Uts ?? UtsOf(config.Spec, _kernel.NamespaceIds.Next());
        try
        {
            made = new SandboxContainer(group, watch, options, uts, _users, _network, _streams, _kernel.NamespaceIds.Next());
            return null;
        }
        catch (InvalidOperationException e)
        {
            return e.Message;
        }
    }

    private static UtsNamespace UtsOf(OciSpec spec, ulong id) => new(id, spec.Hostname ?? "moat", spec.Domainname ?? "(none)");

    private static HashSet<SyscallNumber>? ToNumbers(IReadOnlyList<string> names)
    {
        HashSet<SyscallNumber>? numbers = null;
        foreach (string name in names)
        {
            (numbers ??= []).Add(ToNumber(name, "-strace-syscalls"));
        }

        return numbers;
    }

    private static SyscallNumber ToNumber(string name, string flag) =>
        Enum.TryParse(name, out SyscallNumber number) && Enum.IsDefined(number) ? number : throw new InvalidOperationException($"flag {flag}: there is no system call \"{name}\"");
}
