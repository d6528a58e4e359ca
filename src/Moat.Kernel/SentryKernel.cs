using Moat.Kernel.Futex;
using Moat.Kernel.Memory;
using Moat.Kernel.Namespaces;
using Moat.Kernel.Tasks;
using Moat.Kernel.Time;
using Moat.Kernel.Vfs;
using Moat.Kernel.Vfs.Locks;
using Moat.Linux;
using Moat.Platform;

namespace Moat.Kernel;

/// <summary>The kernel of one sandbox: what all its tasks share.</summary>
public sealed class SentryKernel
{
    /// <summary>How many tasks there may be at most; see <see cref="HostFacts.TaskLimit"/>.</summary>
    public const int MaxTasks = 16384;

    private long _created;
    private int _lastAnonymousDevice = 16;

    /// <summary>Makes a kernel; the Sentry's boot fills it.</summary>
    public SentryKernel(IPlatform platform, MemoryFile memoryFile, IKernelClock clock, IKernelLog log, IRandomSource random, HostFacts facts, ISyscallDispatcher dispatcher)
    {
        Platform = platform;
        MemoryFile = memoryFile;
        Clock = clock;
        Log = log;
        Random = random;
        Facts = facts;
        Dispatcher = dispatcher;
        Timers = new TimerService(clock);
        Load = new LoadAverage(this);
        if (platform.Vdso is { } image)
        {
            Vdso = new MemoryPages(memoryFile) { IsPermanent = true };
            Vdso.WriteAt(0, image);
        }
    }

    /// <summary>What runs application code.</summary>
    public IPlatform Platform { get; }

    /// <summary>The vDSO that every program is given, one page; null if the platform has none.</summary>
    internal MemoryPages? Vdso { get; }

    /// <summary>All application memory.</summary>
    public MemoryFile MemoryFile { get; }

    /// <summary>The time.</summary>
    public IKernelClock Clock { get; }

    /// <summary>Where the kernel says what an administrator should know.</summary>
    public IKernelLog Log { get; }

    /// <summary>The host's random numbers.</summary>
    public IRandomSource Random { get; }

    /// <summary>What is known of the host.</summary>
    public HostFacts Facts { get; }

    /// <summary>Carries out system calls.</summary>
    public ISyscallDispatcher Dispatcher { get; }

    /// <summary>Guards the process tree, groups, sessions and signals.</summary>
    public object TaskLock { get; } = new();

    /// <summary>Numbers of namespaces.</summary>
    public NamespaceIds NamespaceIds { get; } = new();

    /// <summary>The ids of all tasks, above those of the containers.</summary>
    public PidNamespace Pids { get; } = new(null, 0);

    /// <summary>The host's threads that run tasks.</summary>
    internal TaskThreadPool TaskThreads { get; } = new();

    /// <summary>All timers.</summary>
    public TimerService Timers { get; }

    /// <summary>The load averages.</summary>
    public LoadAverage Load { get; }

    /// <summary>All futexes.</summary>
    public FutexTable Futexes { get; } = new();

    /// <summary>Advisory locks of files.</summary>
    public FileLockTable FileLocks { get; } = new();

    /// <summary>Character devices.</summary>
    public DeviceRegistry Devices { get; } = new();

    /// <summary>What mount(2) can make, by the type's name; filled at boot.</summary>
    public Dictionary<string, IFilesystemType> FilesystemTypes { get; } = [];

    /// <summary>Opens FIFOs; set at boot.</summary>
    public IFifoOpener Fifos { get; set; } = null!;

    /// <summary>The home of files without a place; set at boot.</summary>
    public Filesystem AnonymousFiles { get; set; } = null!;

    /// <summary>The home of files in memory that memfd_create(2) makes, mounted nowhere; set at boot.</summary>
    public Filesystem MemoryFiles { get; set; } = null!;

    /// <summary>The home of sockets and the registry of their families; set at boot.</summary>
    public Filesystem SocketFiles { get; set; } = null!;

    /// <summary>The home of the files that stand for namespaces (nsfs), mounted nowhere; set at boot.</summary>
    public Filesystem NamespaceFiles { get; set; } = null!;

    /// <summary>How many tasks have ever been made.</summary>
    public long Created => Volatile.Read(ref _created);

    /// <summary>Told in one line of a bug with which the kernel cannot go on. Set once, by whoever controls the sandbox.</summary>
    public Action<string>? OnBug { get; set; }

    /// <summary>What a wall clock shows now.</summary>
    public long ReadClock(GuestClock clock) => clock switch
    {
        GuestClock.Realtime => Clock.RealtimeNs,
        GuestClock.Boottime => Clock.BoottimeNs,
        _ => Clock.MonotonicNs,
    };

    /// <summary>A minor number for a filesystem without a device.</summary>
    public int NextAnonymousDevice() => Interlocked.Increment(ref _lastAnonymousDevice);

    /// <summary>Logs an exception that no application should be able to cause, with where the application was, and has whoever controls it end the sandbox.</summary>
    internal void ReportBug(GuestTask task, Exception exception)
    {
        Log.Error(BugReport.Write(task, exception));
        OnBug?.Invoke(BugReport.Summarize(task, exception));
    }

    internal void CountCreated() => Interlocked.Increment(ref _created);

    /// <summary>Whether a process group or session still has this number. Under the task lock.</summary>
    internal bool HasGroupOrSession(TaskId id)
    {
        foreach (ThreadGroup process in Pids.ListProcesses())
        {
            if (process.Id != id && process.ProcessGroup is { } group && (group.Id == id || group.Session.Id == id))
            {
                return true;
            }
        }

        return false;
    }
}
