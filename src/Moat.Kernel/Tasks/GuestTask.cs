using System.Text;
using Moat.Kernel.Credentials;
using Moat.Kernel.Futex;
using Moat.Kernel.Ipc;
using Moat.Kernel.Memory;
using Moat.Kernel.Namespaces;
using Moat.Kernel.Ptrace;
using Moat.Kernel.Seccomp;
using Moat.Kernel.Signals;
using Moat.Kernel.Time;
using Moat.Kernel.Vfs;
using Moat.Kernel.Waiting;
using Moat.Linux;
using Moat.Platform;

namespace Moat.Kernel.Tasks;

/// <summary>One thread of an application, and the Sentry thread that serves it for its life.</summary>
/// <remarks>Members are used by that thread alone unless they say otherwise.</remarks>
public sealed class GuestTask
{
    private readonly ThreadParker _parker = new();
    private readonly TaskWaitEntry _fileWait;
    private byte[]? _pathBuffer;
    private PollSet? _pollSet;
    private TaskId _id = null!;
    private NetworkNamespace? _network; // null once the task has ended

    /// <summary>A task that does not run yet; it takes over the references it is given.</summary>
    internal GuestTask(SentryKernel kernel, ThreadGroup group, MemoryManager memory, FdTable files, FsContext fs, TaskCredentials credentials, UtsNamespace uts, NetworkNamespace network, IContext context)
    {
        Kernel = kernel;
        ThreadGroup = group;
        PidsForChildren = group.Pids;
        Memory = memory;
        Files = files;
        Fs = fs;
        Credentials = credentials;
        Uts = uts;
        _network = network;
        Context = context;
        Signals = new TaskSignals(this);
        CpuClock = new TaskCpuClock(kernel.Clock);
        _fileWait = new TaskWaitEntry(this);
        Answers = new TaskAnswers(this);
        FutexWaiter = new FutexWaiter(this);
    }

    /// <summary>The kernel it runs in.</summary>
    public SentryKernel Kernel { get; }

    /// <summary>Its process. Any thread.</summary>
    public ThreadGroup ThreadGroup { get; }

    /// <summary>gettid(2): its number where it lives. Any thread.</summary>
    public int Tid { get; private set; }

    /// <summary>Its number there and in the namespaces above. Any thread.</summary>
    public TaskId Id
    {
        get => _id;

        internal set
        {
            _id = value;
            Tid = value.Number;
        }
    }

    /// <summary>The pid namespace that it lives in. Any thread.</summary>
    public PidNamespace Pids => ThreadGroup.Pids;

    /// <summary>Its IPC namespace. Any thread.</summary>
    public IpcNamespace Ipc { get; private set; } = null!;

    /// <summary>The pid namespace that its children are made in: its own, or one below it that it has made or chosen (unshare(2), setns(2)). Any thread.</summary>
    public PidNamespace PidsForChildren { get; set; }

    /// <summary>comm: at most 15 bytes, from the executable or PR_SET_NAME. Any thread may read.</summary>
    public string Name { get; private set; } = "";

    /// <summary>Its address space; replaced by execve(2). Any thread may read.</summary>
    public MemoryManager Memory { get; internal set; }

    /// <summary>Its descriptors. Any thread may read.</summary>
    public FdTable Files { get; set; }

    /// <summary>Root, working directory, umask. Any thread may read.</summary>
    public FsContext Fs { get; set; }

    /// <summary>Who it is. Any thread may read.</summary>
    public TaskCredentials Credentials { get; set; }

    /// <summary>PATH_MAX bytes for the one path that the call in progress is about; see <c>Guest.ReadPath</c>.</summary>
    public byte[] PathBuffer => _pathBuffer ??= new byte[PathWalker.MaxPath];

    /// <summary>Host and domain name.</summary>
    public UtsNamespace Uts { get; set; }

    /// <summary>Its network, which it keeps. For others there is <see cref="FindNetwork"/>.</summary>
    public NetworkNamespace Network => _network!;

    /// <summary>Its signals.</summary>
    public TaskSignals Signals { get; }

    /// <summary>What it has used besides CPU time.</summary>
    public TaskUsage Usage { get; } = new();

    /// <summary>Its last calls, for the report of a bug.</summary>
    public CallHistory Calls { get; } = new();

    /// <summary>Its processor.</summary>
    public IContext Context { get; }

    /// <summary>What its processor may answer by itself.</summary>
    internal TaskAnswers Answers { get; }

    /// <summary>Its registers while the kernel has it. Any thread may read for a crash report.</summary>
#pragma warning disable CA1051 // handed to the platform by reference at each switch
    public RegisterSet Registers;
#pragma warning restore CA1051

    /// <summary>How it asks to be scheduled. Any thread.</summary>
    public TaskScheduling Scheduling { get; internal set; } = new();

    /// <summary>Its system call filters, or null. Written under the task lock.</summary>
    public SeccompState? Seccomp { get; set; }

    /// <summary>What it is to the task that traces it, or null. Written under the task lock; any thread may read.</summary>
    public Tracee? Tracee { get; internal set; }

    /// <summary>The tasks that it traces. Under the task lock.</summary>
    public List<Tracee> Tracees { get; } = [];

    /// <summary>CLONE_CHILD_CLEARTID's address.</summary>
    public GuestAddress ClearTidAddress { get; set; }

    /// <summary>set_robust_list(2).</summary>
    public GuestAddress RobustList { get; set; }

    /// <summary>PR_SET_PDEATHSIG.</summary>
    public Signal ParentDeathSignal { get; set; }

    /// <summary>CPU time of the application and the kernel for it, in nanoseconds.</summary>
    public long CpuNs => CpuClock.Now.TotalNs;

    /// <summary>Measures its CPU time. Any thread may read.</summary>
    public TaskCpuClock CpuClock { get; }

    /// <summary>Whether it sleeps. Any thread.</summary>
    public bool IsBlocked { get; private set; }

    /// <summary>Whether it has ended. Any thread.</summary>
    public bool HasEnded { get; internal set; }

    /// <summary>exit(2) has been called: the loop ends.</summary>
    public bool IsEnding { get; set; }

    /// <summary>The wait status of exit(2).</summary>
    public int ExitStatus { get; set; }

    /// <summary>The call in progress has set all registers itself.</summary>
    public bool KeepsRegisters { get; set; }

    /// <summary>Its place in a futex's queue.</summary>
    internal FutexWaiter FutexWaiter { get; }

    /// <summary>Several files that it waits for together; made by the first call that does.</summary>
    public PollSet PollSet => _pollSet ??= new PollSet(this);

    /// <summary>Set by vfork(2): the parent waits until the child has let go of its memory.</summary>
    internal VforkGate? VforkGate { get; set; }

    /// <summary>What restart_syscall(2) goes on with.</summary>
    public RestartBlock? RestartBlock { get; set; }

    /// <summary>Sets the name, cut to 15 bytes.</summary>
    public void SetName(ReadOnlySpan<byte> name)
    {
        const int MaxName = 15;
        int zero = name.IndexOf((byte)0);
        name = zero >= 0 ? name[..zero] : name;
        Name = Encoding.Latin1.GetString(name[..Math.Min(name.Length, MaxName)]);
    }

    /// <summary>Waits until something unparks the task, a signal needs handling, or the time comes. The caller has queued wait entries and found its condition not met.</summary>
    /// <param name="deadlineNs">Monotonic time in nanoseconds, or <see cref="long.MaxValue"/> for no limit.</param>
    /// <returns>None when woken (perhaps for nothing: check again), ETIMEDOUT, or ERESTARTSYS when a signal or kill is to be handled (translate to what the call's man page says: ERESTARTNOHAND, EINTR …).</returns>
    public Errno Block(long deadlineNs = long.MaxValue)
    {
        if (Signals.NeedsHandling)
        {
            return Errno.ERESTARTSYS;
        }

        long timeoutNs = long.MaxValue;
        if (deadlineNs != long.MaxValue && (timeoutNs = deadlineNs - Kernel.Clock.MonotonicNs) <= 0)
        {
            return Errno.ETIMEDOUT;
        }

        IsBlocked = true;
        Usage.CountSwitch();
        Park(timeoutNs);
        IsBlocked = false;
        if (ThreadGroup.Timers.IsCpuCheckStalled)
        {
            lock (Kernel.TaskLock)
            {
                ThreadGroup.Timers.ScheduleCpuCheck();
            }
        }

        return Signals.NeedsHandling ? Errno.ERESTARTSYS : Errno.None;
    }

    /// <summary>Sleeps regardless of signals, for the kernel's own short waits.</summary>
    internal void ParkUninterruptibly() => Park(long.MaxValue);

    /// <summary>Wakes the task from <see cref="Block"/>, now or the next time. Any thread.</summary>
    public void Unblock() => _parker.Unpark();

    /// <summary>The same for a caller that holds locks.</summary>
    public void Unblock(ref PendingWakes wakes) => wakes.Add(_parker);

    /// <summary>Waits until <paramref name="source"/> has one of the events. The usual way to block on a file: try, EAGAIN, wait, try again.</summary>
    /// <returns>As <see cref="Block"/>; None means that readiness was seen.</returns>
    public Errno WaitFor(IWaitable source, PollEvents events, long deadlineNs = long.MaxValue)
    {
        _fileWait.Mask = events;
        source.AddWaiter(_fileWait);
        try
        {
            while (source.Readiness(events) == 0)
            {
                Errno errno = Block(deadlineNs);
                if (errno != Errno.None)
                {
                    return errno;
                }
            }

            return Errno.None;
        }
        finally
        {
            source.RemoveWaiter(_fileWait);
        }
    }

    /// <summary>Its network, for any thread; null once it has ended. Who uses it for long takes a reference of its own, which may come too late.</summary>
    public NetworkNamespace? FindNetwork() => Volatile.Read(ref _network);

    /// <summary>Goes over to another network, whose reference is the task's from now on, or with null gives its own back.</summary>
    public void EnterNetwork(NetworkNamespace? network) => Interlocked.Exchange(ref _network, network)?.RemoveUser();

    /// <summary>Goes over to another IPC namespace, whose reference is the task's from now on.</summary>
    public void EnterIpc(IpcNamespace ipc)
    {
        IpcNamespace? before = Ipc;
        Ipc = ipc;
        before?.RemoveUser();
    }

    private void Park(long timeoutNs)
    {
        if (_parker.TryTake())
        {
            return;
        }

        CpuClock.Stop();
        Context.Rest();
        _parker.Park(timeoutNs);
        CpuClock.EnterSystem();
    }
}
