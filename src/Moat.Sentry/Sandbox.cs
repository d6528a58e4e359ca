using System.Text;
using Moat.Control;
using Moat.Filesystems.Dev;
using Moat.Filesystems.EventFiles;
using Moat.Filesystems.HostFd;
using Moat.Filesystems.HostTree;
using Moat.Filesystems.Overlay;
using Moat.Filesystems.Pipe;
using Moat.Filesystems.Proc;
using Moat.Filesystems.Sys;
using Moat.Filesystems.Tmpfs;
using Moat.Kernel;
using Moat.Kernel.Credentials;
using Moat.Kernel.Namespaces;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;
using Moat.Platform;
using Moat.Platform.Ptrace;
using Moat.Sockets;
using Moat.Sockets.Unix;
using Moat.Syscalls;
using Moat.Syscalls.Strace;

namespace Moat.Sentry;

/// <summary>A sandbox: kernel, platform, file systems and the first process, put together. This is the one place that knows which concrete ones there are.</summary>
public sealed class Sandbox : IDisposable
{
    private readonly SandboxOptions _options;
    private readonly PtracePlatform _platform;
    private readonly MemoryFile _memoryFile;
    private readonly SentryKernel _kernel;
    private readonly ExitWatch _exit = new();
    private readonly Lock _startLock = new();
    private volatile bool _hasStarted;

    /// <summary>Builds everything up to the first process; nothing of it runs yet.</summary>
    /// <exception cref="InvalidOperationException">The host refuses something that is needed.</exception>
    public Sandbox(SandboxOptions options)
    {
        _options = options;
        _platform = new PtracePlatform();
        _memoryFile = new MemoryFile(options.MemoryBytes);
        HostClock clock = new();
        HostFacts facts = new()
        {
            ProcessorCount = Environment.ProcessorCount,
            MemoryBytes = options.MemoryBytes,
            BootMonotonicNs = clock.MonotonicNs,
            BootRealtimeNs = clock.RealtimeNs,
        };
        StraceLog? strace = options.Strace ? new StraceLog(options.Log, clock, options.StraceOnly, 64) : null;
        SyscallDispatcher dispatcher = new(SyscallTable.Create(), options.Log, strace);
        _kernel = new SentryKernel(_platform, _memoryFile, clock, options.Log, new HostRandom(), facts, dispatcher) { Observer = _exit };
        _kernel.AnonymousFiles = new AnonymousFilesystem(_kernel);
        _kernel.Fifos = new PipeFilesystem(_kernel);
        SocketFilesystem sockets = new(_kernel);
        sockets.Register(AddressFamily.AF_UNIX, new UnixFamily(sockets));
        _kernel.SocketFiles = sockets;
        MemoryDevices.Register(_kernel.Devices);
    }

    /// <summary>The kernel.</summary>
    internal SentryKernel Kernel => _kernel;

    /// <summary>How far the sandbox is.</summary>
    internal SandboxStatus Status => _exit.HasEnded ? SandboxStatus.Stopped : _hasStarted ? SandboxStatus.Running : SandboxStatus.Created;

    /// <summary>Starts the program, once.</summary>
    /// <returns>Why it could not be started; null if it runs.</returns>
    internal string? Start()
    {
        lock (_startLock)
        {
            if (_hasStarted || _exit.HasEnded)
            {
                return "the container was started before";
            }

            Errno errno = StartProgram(MakeInit());
            if (errno != Errno.None)
            {
                _exit.End(errno is Errno.ENOENT ? 127 : 126);
                return $"cannot run {_options.Arguments[0]}: {errno}";
            }

            _hasStarted = true;
            return null;
        }
    }

    /// <summary>Starts the program and waits until the sandbox has ended.</summary>
    /// <param name="error">Why the program could not be started, or that the kernel failed, in one line.</param>
    /// <returns>The exit code as a shell reports it.</returns>
    public int Run(out string? error)
    {
        error = Start();
        int status = _exit.Wait();
        error ??= _exit.Bug is { } bug ? $"the sandbox's kernel failed and ended it: {bug.GetType().Name}: {bug.Message} (see the debug log)" : null;
        return status;
    }

    /// <summary>Waits until the sandbox has ended.</summary>
    /// <returns>The exit code as a shell reports it: the first process's, or 128 and the signal's number.</returns>
    internal int Wait() => _exit.Wait();

    /// <summary>As <see cref="Wait"/>, but gives up when nobody is interested any more.</summary>
    internal bool TryWait(CancellationToken cancellation, out int status) => _exit.TryWait(cancellation, out status);

    /// <summary>Ends the sandbox with a status.</summary>
    internal void End(int status) => _exit.End(status);

    /// <inheritdoc/>
    public void Dispose()
    {
        _platform.Dispose();
        _exit.Dispose();
    }

    private GuestTask MakeInit()
    {
        HostTreeFilesystem tree = new(_options.RootFd, NewDevice());
        OverlayFilesystem overlay = OverlayInMemory(tree);
        MountNamespace mounts = new(new Mount(overlay, new Dentry(null, new FileName("/"), overlay.Root), MountFlags.None) { Source = "root" });
        CapabilitySet all = CapabilitySet.Full;
        TaskCredentials root = new()
        {
            RealUid = 0, EffectiveUid = 0, SavedUid = 0, FilesystemUid = 0,
            RealGid = 0, EffectiveGid = 0, SavedGid = 0, FilesystemGid = 0,
            Groups = [],
            Effective = all, Permitted = all, Bounding = all,
            UserNamespace = new UserNamespace(null),
        };
        GuestTask init = InitialProcess.Create(_kernel, mounts, root, new UtsNamespace(_options.HostName, "(none)"), new ResourceLimits());
        MountAt(init, "/tmp", new TmpfsFilesystem(_kernel, new TmpfsOptions()), MountFlags.NoSuid | MountFlags.NoDev);
        MountAt(init, "/proc", new ProcFilesystem(_kernel, NewDevice()), MountFlags.NoSuid | MountFlags.NoDev | MountFlags.NoExec);
        MountAt(init, "/sys", new SysFilesystem(NewDevice(), _kernel.Facts, _kernel.Clock), MountFlags.ReadOnly | MountFlags.NoSuid | MountFlags.NoDev | MountFlags.NoExec);
        if (MountAt(init, "/dev", new TmpfsFilesystem(_kernel, new TmpfsOptions { RootMode = (Mode)0x1ED, TypeName = "devtmpfs" }), MountFlags.NoSuid | MountFlags.NoExec) is { } dev)
        {
            MemoryDevices.Populate(init, dev);
        }

        HostFdFilesystem streams = new(NewDevice());
        for (int fd = 0; fd <= 2; fd++)
        {
            if (streams.Import(fd, fd == 0 ? OpenFlags.O_RDONLY : OpenFlags.O_WRONLY).TryGet(out FileDescription? stream, out _))
            {
                init.Files.InstallAt(init, fd, stream, closeOnExec: false, ResourceLimit.Infinity);
            }
        }

        return init;
    }

    // Changes stay in the sandbox's memory (--overlay2=root:memory) and go with it.
    private OverlayFilesystem OverlayInMemory(Filesystem lower)
    {
        lower.Root.GetAttributes(out InodeAttributes root);
        TmpfsFilesystem upper = new(_kernel, new TmpfsOptions { RootMode = root.Mode & Mode.PermissionMask, Uid = root.Uid, Gid = root.Gid });
        return new OverlayFilesystem(lower, upper, NewDevice());
    }

    private DeviceNumber NewDevice() => new(0, (uint)_kernel.NextAnonymousDevice());

    // Mounts on a directory of the root, if it has it.
    private static PathLocation? MountAt(GuestTask init, string path, Filesystem filesystem, MountFlags flags)
    {
        if (!PathWalker.Resolve(init, init.Fs.Root, Encoding.ASCII.GetBytes(path), WalkFlags.Directory).TryGet(out PathLocation point, out _))
        {
            return null;
        }

        Mount mount = new(filesystem, new Dentry(null, new FileName("/"), filesystem.Root), flags) { Source = filesystem.TypeName };
        init.Fs.MountNamespace.Attach(mount, point);
        return new PathLocation(mount, mount.Root);
    }

    private Errno StartProgram(GuestTask init)
    {
        if (PathWalker.Resolve(init, init.Fs.Root, Encoding.UTF8.GetBytes(_options.WorkingDirectory), WalkFlags.Directory).TryGet(out PathLocation directory, out _))
        {
            init.Fs.WorkingDirectory = directory;
        }

        byte[][] arguments = [.. _options.Arguments.Select(Encoding.UTF8.GetBytes)];
        byte[][] environment = [.. _options.Environment.Select(Encoding.UTF8.GetBytes)];
        Errno errno = Errno.ENOENT;
        foreach (string candidate in Candidates(_options.Arguments[0]))
        {
            Errno tried = InitialProcess.Start(init, Encoding.UTF8.GetBytes(candidate), arguments, environment);
            if (tried is Errno.None)
            {
                return tried;
            }

            errno = tried is Errno.ENOENT or Errno.ENOTDIR ? errno : tried;
        }

        return errno;
    }

    // As execvp(3): a name with a slash is a path, another is searched for.
    private IEnumerable<string> Candidates(string name)
    {
        if (name.Contains('/'))
        {
            return [name];
        }

        string path = _options.Environment.FirstOrDefault(static variable => variable.StartsWith("PATH=", StringComparison.Ordinal))?[5..] ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        return path.Split(':', StringSplitOptions.RemoveEmptyEntries).Select(folder => $"{folder}/{name}");
    }
}
