using Moat.Control;
using Moat.Filesystems.Dev;
using Moat.Filesystems.EventFiles;
using Moat.Filesystems.HostFd;
using Moat.Filesystems.Pipe;
using Moat.Filesystems.Proc;
using Moat.Filesystems.Tmpfs;
using Moat.Filesystems.Tty;
using Moat.Kernel;
using Moat.Kernel.Credentials;
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

/// <summary>A sandbox: kernel, platform, file systems and the first process, put together. This is the one place that knows which concrete ones there are.</summary>
public sealed class Sandbox : IDisposable
{
    private const string AlreadyStarted = "the container was started before";

    private readonly SandboxOptions _options;
    private readonly IPlatform _platform;
    private readonly SentryKernel _kernel;
    private readonly NetworkStack _stack;
    private readonly ProcessStarter _starter;
    private readonly GuestTask _init;
    private readonly ProcessWatch _watch = new();
    private readonly Lock _startLock = new();
    private volatile bool _hasStarted;
    private bool _hasNetwork; // guarded by _startLock

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

        _kernel = new SentryKernel(_platform, new MemoryFile(options.Facts.MemoryBytes), clock, options.Log, new HostRandom(), facts, dispatcher) { Observer = _watch };
        _kernel.AnonymousFiles = new AnonymousFilesystem(_kernel);
        _kernel.MemoryFiles = new TmpfsFilesystem(_kernel, new TmpfsOptions());
        _kernel.Fifos = new PipeFilesystem(_kernel);
        SocketFilesystem sockets = new(_kernel);
        UserNamespace users = new(null);
        SocketNetwork network = NetworkSetup.Create(new SocketNetworks(_kernel, sockets), users, UsesHostNetwork ? new PassthroughPoller(options.Log) : null);
        _stack = network.Stack;
        _kernel.SocketFiles = sockets;
        _kernel.NamespaceFiles = new NamespaceFilesystem(new DeviceNumber(0, (uint)_kernel.NextAnonymousDevice()), clock);
        MemoryDevices.Register(_kernel.Devices);
        TerminalDevices.Register(_kernel);
        TunDevice.Register(_kernel.Devices);

        MountableTypes.Register(_kernel);
        MountTree tree = new(_kernel, options);
        UtsNamespace uts = new(options.Spec.Hostname ?? "moat", options.Spec.Domainname ?? "(none)");
        HostFdFilesystem streams = new(new DeviceNumber(0, (uint)_kernel.NextAnonymousDevice()));
        _starter = new ProcessStarter(_kernel, tree.MakeRoot(), uts, users, network);
        _init = _starter.Create();
        tree.Populate(_init);
        _starter.Streams = new StandardStreams(_kernel, streams, tree.Terminals);
        IgnoredSettings = tree.Ignored;
    }

    /// <summary>The kernel.</summary>
    internal SentryKernel Kernel => _kernel;

    /// <summary>Members of the configuration that have no effect.</summary>
    internal IReadOnlyList<string> IgnoredSettings { get; }

    /// <summary>What system calls allocated, if that is counted.</summary>
    internal AllocationMeter? Allocations { get; }

    /// <summary>Why the platform is not the best one; null if it is, or was asked for.</summary>
    internal string? PlatformNote { get; }

    /// <summary>Whether sockets of the guest are the host's.</summary>
    internal bool UsesHostNetwork => _options.Flags.Network == "host";

    /// <summary>How processes ended.</summary>
    internal ProcessWatch Watch => _watch;

    /// <summary>How far the sandbox is.</summary>
    internal SandboxStatus Status => _watch.HasEnded ? SandboxStatus.Stopped : _hasStarted ? SandboxStatus.Running : SandboxStatus.Created;

    /// <summary>Looks for the program; nothing of it runs yet.</summary>
    /// <param name="exitCode">A shell's exit code for that it cannot be started.</param>
    /// <returns>Why it cannot be started; null if it was found.</returns>
    internal string? Prepare(out int exitCode)
    {
        lock (_startLock)
        {
            exitCode = 0;
            return _hasStarted || _watch.HasEnded ? AlreadyStarted : _starter.Find(_init, _options.Spec.Process!, out exitCode);
        }
    }

    /// <summary>Takes over the container's network namespace, before the program starts.</summary>
    /// <param name="sockets">As <see cref="ControlMethod.Network"/> says; the sandbox's from now on.</param>
    /// <returns>Why it cannot be; null if it has been.</returns>
    internal string? TakeNetwork(IReadOnlyList<int> sockets)
    {
        lock (_startLock)
        {
            if (_hasStarted || _hasNetwork || _watch.HasEnded)
            {
                return AlreadyStarted;
            }

            _hasNetwork = true;
            Errno errno = UsesHostNetwork ? NetworkSetup.Show(_stack, sockets[0], _options.Log) : NetworkSetup.TakeOver(_stack, sockets, _options.Log);
            return errno != Errno.None ? $"network: {errno}" : null;
        }
    }

    /// <summary>Starts the program, once.</summary>
    /// <param name="exitCode">A shell's exit code for that it could not be started.</param>
    /// <returns>Why it could not be started; null if it runs.</returns>
    internal string? Start(out int exitCode)
    {
        exitCode = 0;
        lock (_startLock)
        {
            if (_hasStarted || _watch.HasEnded)
            {
                return AlreadyStarted;
            }

            if (_starter.Start(_init, _options.Spec.Process!, _options.Descriptors, out exitCode) is { } fault)
            {
                return fault;
            }

            _hasStarted = true;
            new StartupTrim(_kernel).Begin();
            return null;
        }
    }

    /// <summary>Starts another process in the sandbox.</summary>
    /// <param name="process">What to run.</param>
    /// <param name="descriptors">Its descriptors from 0 on; the sandbox's from now on.</param>
    /// <param name="pid">Its number.</param>
    /// <param name="exitCode">A shell's exit code for that it could not be started.</param>
    /// <returns>Why it could not be started; null if it runs.</returns>
    internal string? Execute(OciProcess process, IReadOnlyList<int> descriptors, out int pid, out int exitCode)
    {
        pid = 0;
        exitCode = 0;
        if (Status != SandboxStatus.Running)
        {
            return "container not running";
        }

        GuestTask task = _starter.Create();
        pid = task.Tid;
        _watch.Add(pid);
        string? fault = _starter.Start(task, process, descriptors, out exitCode);
        if (fault is not null)
        {
            _watch.Forget(pid);
            InitialProcess.Abandon(task);
        }

        return fault;
    }

    /// <summary>Waits until the sandbox has ended.</summary>
    /// <returns>The exit code as a shell reports it: the first process's, or 128 and the signal's number.</returns>
    internal int Wait() => _watch.Wait();

    /// <summary>Ends the sandbox with a status.</summary>
    internal void End(int status) => _watch.End(status);

    /// <inheritdoc/>
    public void Dispose()
    {
        _platform.Dispose();
        _watch.Dispose();
    }

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
