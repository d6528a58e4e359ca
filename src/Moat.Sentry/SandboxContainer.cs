using Moat.Control;
using Moat.Filesystems.HostFd;
using Moat.Host;
using Moat.Kernel.Bpf;
using Moat.Kernel.Credentials;
using Moat.Kernel.Namespaces;
using Moat.Kernel.Seccomp;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;
using Moat.Oci;
using Moat.Sentry.Seccomp;

namespace Moat.Sentry;

/// <summary>One container of the sandbox: its files, its processes, and how they end.</summary>
internal sealed class SandboxContainer
{
    private const string AlreadyStarted = "the container was started before";

    private readonly SandboxOptions _options;
    private readonly MountNamespace _mounts;
    private readonly IReadOnlyList<Filesystem> _filesystems;
    private readonly ProcessStarter _starter;
    private readonly GuestTask _init;
    private readonly Lock _startLock = new();
    private volatile bool _hasStarted;
    private bool _isInitGone; // guarded by _startLock: it was given up before it was started
    private bool _hasGivenStreams; // guarded by _startLock: descriptors are the first process's

    /// <summary>Builds everything up to the first process; nothing of it runs yet.</summary>
    /// <param name="group">What its processes belong to.</param>
    /// <param name="watch">Told how they end.</param>
    /// <param name="options">What it is.</param>
    /// <param name="uts">Its host name.</param>
    /// <param name="users">Its users.</param>
    /// <param name="network">Its network.</param>
    /// <param name="streams">The home of descriptors of the host.</param>
    /// <param name="mountsId">The number of its mount namespace.</param>
    /// <exception cref="InvalidOperationException">The configuration asks for what cannot be had, or the Gofer does not serve it.</exception>
    public SandboxContainer(GuestContainer group, ProcessWatch watch, SandboxOptions options, UtsNamespace uts, UserNamespace users, NetworkNamespace network, HostFdFilesystem streams, ulong mountsId)
    {
        _options = options;
        Group = group;
        Watch = watch;
        Uts = uts;
        SeccompState? filter = FilterOf(options);
        MountTree tree = new(group, options);
        _mounts = tree.MakeRoot(mountsId);
        _starter = new ProcessStarter(group, _mounts, uts, users, network) { Niceness = options.Facts.Niceness, Filter = filter };
        _init = _starter.Create();
        try
        {
            tree.Populate(_init);
        }
        catch (InvalidOperationException)
        {
            _hasGivenStreams = true; // whoever gave them keeps them
            GiveUp();
            throw;
        }

        _starter.Streams = new StandardStreams(group.Kernel, streams, tree.Terminals);
        IgnoredSettings = tree.Ignored;
        _filesystems = tree.Filesystems;
        GoferWatch.Start(options.Mounts[0].GoferFd, OnGoferGone);
    }

    /// <summary>What its processes belong to.</summary>
    public GuestContainer Group { get; }

    /// <summary>How its processes ended.</summary>
    public ProcessWatch Watch { get; }

    /// <summary>Its host name.</summary>
    public UtsNamespace Uts { get; }

    /// <summary>Members of the configuration that have no effect.</summary>
    public IReadOnlyList<string> IgnoredSettings { get; }

    /// <summary>How far it is.</summary>
    public SandboxStatus Status => Watch.HasEnded ? SandboxStatus.Stopped : _hasStarted ? SandboxStatus.Running : SandboxStatus.Created;

    /// <summary>Its first process.</summary>
    public ThreadGroup Init => _init.ThreadGroup;

    /// <summary>Looks for the program; nothing of it runs yet.</summary>
    /// <param name="exitCode">A shell's exit code for that it cannot be started.</param>
    /// <returns>Why it cannot be started; null if it was found.</returns>
    public string? Prepare(out int exitCode)
    {
        lock (_startLock)
        {
            exitCode = 0;
            return _hasStarted || Watch.HasEnded ? AlreadyStarted : _starter.Find(_init, _options.Spec.Process!, out exitCode);
        }
    }

    /// <summary>Starts the program, once.</summary>
    /// <param name="exitCode">A shell's exit code for that it could not be started.</param>
    /// <returns>Why it could not be started; null if it runs.</returns>
    public string? Start(out int exitCode)
    {
        exitCode = 0;
        lock (_startLock)
        {
            if (_hasStarted || Watch.HasEnded)
            {
                return AlreadyStarted;
            }

            _hasGivenStreams = true;
            string? fault = _starter.Start(_init, _options.Spec.Process!, _options.Descriptors, out exitCode);
            _hasStarted = fault is null;
            return fault;
        }
    }

    /// <summary>Starts another process.</summary>
    /// <param name="process">What to run.</param>
    /// <param name="descriptors">Its descriptors from 0 on; the sandbox's from now on.</param>
    /// <param name="pid">Its number.</param>
    /// <param name="exitCode">A shell's exit code for that it could not be started.</param>
    /// <returns>Why it could not be started; null if it runs.</returns>
    public string? Execute(OciProcess process, IReadOnlyList<int> descriptors, out int pid, out int exitCode)
    {
        pid = 0;
        exitCode = 0;
        if (Status == SandboxStatus.Stopped)
        {
            return "container not running";
        }

        GuestTask task = _starter.Create();
        pid = task.Tid;
        Watch.Add(pid);
        string? fault = _starter.Start(task, process, descriptors, out exitCode);
        if (fault is not null)
        {
            Watch.Forget(pid);
            InitialProcess.Abandon(task);
        }

        return fault;
    }

    /// <summary>Kills everything in it and takes its files down.</summary>
    /// <param name="timeoutMs">How long that may take.</param>
    /// <returns>Whether all is gone.</returns>
    public bool Destroy(int timeoutMs)
    {
        Watch.End(128 + (int)Signal.SIGKILL);
        GiveUp();
        lock (Group.Kernel.TaskLock)
        {
            Group.SetPaused(false);
            KillAllLocked();
        }

        if (!Watch.AwaitEmpty(timeoutMs))
        {
            return false;
        }

        _mounts.RemoveUser();
        foreach (Filesystem filesystem in _filesystems)
        {
            filesystem.Discard();
        }

        return true;
    }

    // A first process that never ran has nobody who could end it.
    private void GiveUp()
    {
        lock (_startLock)
        {
            if (!_hasStarted && !_isInitGone)
            {
                _isInitGone = true;
                InitialProcess.Abandon(_init);
                if (!_hasGivenStreams)
                {
                    _options.Descriptors.Where(static fd => fd >= 0).ToList().ForEach(static fd => HostMemory.Close(fd));
                }
            }
        }
    }

    // Without files nothing in it can go on.
    private void OnGoferGone()
    {
        const int Failure = 128;
        if (!Watch.HasEnded)
        {
            _options.Log.Error($"the gofer of container {_options.ContainerId} has gone: it ends");
            Watch.End(Failure);
        }

        lock (Group.Kernel.TaskLock)
        {
            KillAllLocked();
        }
    }

    private void KillAllLocked()
    {
        foreach (ThreadGroup process in Group.ListProcesses())
        {
            ProcessExit.EndGroup(process, (int)Signal.SIGKILL);
        }
    }

    private static SeccompState? FilterOf(SandboxOptions options)
    {
        if (!options.Flags.OciSeccomp || options.Spec.Linux?.Seccomp is not { } profile)
        {
            return null;
        }

        BpfProgram program = SeccompProfile.Compile(profile).TryGet(out BpfProgram? compiled, out string? fault) ? compiled : throw new InvalidOperationException($"config.json: {fault}");
        return new SeccompState(null, program, AllowedCalls.Of(program), SeccompProfile.Logs(profile));
    }
}
