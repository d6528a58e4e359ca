using Moat.Kernel.Credentials;
using Moat.Kernel.Signals;
using Moat.Kernel.Tasks;
using Moat.Kernel.Time;
using Moat.Kernel.Waiting;
using Moat.Linux;
using Moat.Platform;

namespace Moat.Kernel.Vfs;

/// <summary>Signal-driven I/O of one open file (fcntl(2): O_ASYNC, F_SETOWN, F_SETSIG): whatever becomes ready sends a signal to an owner.</summary>
/// <remarks>Readiness is told under locks that stand below the task lock: the signal leaves on the timers' thread.</remarks>
/// <param name="kernel">The kernel.</param>
/// <param name="file">The file.</param>
public sealed class AsyncSignals(SentryKernel kernel, FileDescription file) : KernelTimer(kernel.Timers)
{
    private readonly Lock _lock = new();
    private Watch? _watch; // guarded by _lock; not null while O_ASYNC is set
    private object? _owner; // a GuestTask, a ThreadGroup or a ProcessGroup; guarded by the task lock, as all below
    private AsyncOwnerKind _kind = AsyncOwnerKind.F_OWNER_PID;
    private uint _realUid;
    private uint _effectiveUid;
    private uint _pending; // events since the last signal
    private int _urgent; // whether urgent data is on its way
    private volatile int _signal;
    private volatile int _fd;

    /// <summary>F_SETSIG's number; 0 for SIGIO without details.</summary>
    public int SignalNumber
    {
        get => _signal;
        set => _signal = value;
    }

    /// <summary>Makes someone the owner, with the caller's right to signal it.</summary>
    /// <param name="task">The caller.</param>
    /// <param name="kind">What <paramref name="id"/> names.</param>
    /// <param name="id">A task, process or group; 0 for nobody.</param>
    /// <returns>ESRCH if there is none.</returns>
    public Errno SetOwner(GuestTask task, AsyncOwnerKind kind, int id)
    {
        lock (kernel.TaskLock)
        {
            object? owner = id <= 0 ? null : kind switch
            {
                AsyncOwnerKind.F_OWNER_TID => task.Pids.FindTask(id),
                AsyncOwnerKind.F_OWNER_PID => task.Pids.FindProcess(id),
                _ => task.Pids.FindGroup(id),
            };
            if (owner is null && id != 0)
            {
                return Errno.ESRCH;
            }

            (_owner, _kind, _realUid, _effectiveUid) = (owner, kind, task.Credentials.RealUid, task.Credentials.EffectiveUid);
            return Errno.None;
        }
    }

    /// <summary>The owner's number, 0 for nobody or one that has gone or lives where the caller cannot see it, and what it names.</summary>
    public (AsyncOwnerKind Kind, int Id) GetOwner(GuestTask asker)
    {
        lock (kernel.TaskLock)
        {
            int id = _owner switch
            {
                GuestTask task when kernel.Pids.FindTask(task.Id.In(kernel.Pids)) == task => task.Id.In(asker.Pids),
                ThreadGroup group when kernel.Pids.FindProcess(group.Id.In(kernel.Pids)) == group => group.Id.In(asker.Pids),
                ProcessGroup group when group.Members.Count > 0 => group.Id.In(asker.Pids),
                _ => 0,
            };
            return (_kind, id);
        }
    }

    /// <summary>Starts or ends the signals.</summary>
    /// <param name="on">Whether O_ASYNC is set.</param>
    /// <param name="fd">The descriptor through which it was, for <c>si_fd</c>.</param>
    public void Set(bool on, int fd)
    {
        lock (_lock)
        {
            if (on && _watch is null)
            {
                _fd = fd;
                _watch = new Watch(this)
                {
                    Mask = PollEvents.POLLPRI | (file.CanRead ? PollEvents.Readable : PollEvents.None) | (file.CanWrite ? PollEvents.Writable : PollEvents.None),
                };
                file.AddWaiter(_watch);
            }
            else if (!on && _watch is not null)
            {
                file.RemoveWaiter(_watch);
                _watch = null;
                Disarm();
            }
        }
    }

    /// <summary>Urgent data is on its way to a socket: the owner gets SIGURG, with O_ASYNC or without (socket(7)). Any lock.</summary>
    public void NotifyUrgent()
    {
        Volatile.Write(ref _urgent, 1);
        Arm(0);
    }

    /// <inheritdoc/>
    protected internal override void OnExpired()
    {
        PollEvents events = (PollEvents)Interlocked.Exchange(ref _pending, 0);
        bool isUrgent = Interlocked.Exchange(ref _urgent, 0) != 0;
        lock (kernel.TaskLock)
        {
            if (isUrgent)
            {
                Send(SignalInfo.FromKernel(Signal.SIGURG));
            }

            if (_owner is null || events == PollEvents.None)
            {
                return;
            }

            if (_signal == 0)
            {
                Send(SignalInfo.FromKernel(Signal.SIGIO));
                return;
            }

            // si_code and si_band of each kind of event (sigaction(2), SIGIO).
            SendIf(events, PollEvents.POLLIN, 1, PollEvents.Readable);
            SendIf(events, PollEvents.POLLOUT, 2, PollEvents.Writable | PollEvents.POLLWRBAND);
            SendIf(events, PollEvents.POLLERR, 4, PollEvents.POLLERR);
            SendIf(events, PollEvents.POLLPRI, 5, PollEvents.POLLPRI | PollEvents.POLLRDBAND);
            SendIf(events, PollEvents.POLLHUP, 6, PollEvents.POLLHUP | PollEvents.POLLERR);
        }
    }

    private void SendIf(PollEvents events, PollEvents kind, int code, PollEvents band)
    {
        if ((events & kind) != 0)
        {
            Send(SignalInfo.FromFile((Signal)_signal, code, (long)band, _fd));
        }
    }

    // A queue that is full of the signal falls back to SIGIO (fcntl(2)).
    private void Send(in SignalInfo info)
    {
        switch (_owner)
        {
            case GuestTask task when MaySignal(task.ThreadGroup):
                if (SignalSender.SendToTask(task, info) == Errno.EAGAIN)
                {
                    SignalSender.SendToTask(task, SignalInfo.FromKernel(Signal.SIGIO));
                }

                break;
            case ThreadGroup process:
                SendToProcess(process, info);
                break;
            case ProcessGroup group:
                foreach (ThreadGroup member in group.Members.ToArray())
                {
                    SendToProcess(member, info);
                }

                break;
        }
    }

    private void SendToProcess(ThreadGroup process, in SignalInfo info)
    {
        if (MaySignal(process) && SignalSender.SendToProcess(process, info) == Errno.EAGAIN)
        {
            SignalSender.SendToProcess(process, SignalInfo.FromKernel(Signal.SIGIO));
        }
    }

    // With the identity that set the owner, not that of whoever makes the file ready.
    private bool MaySignal(ThreadGroup process)
    {
        TaskCredentials other = process.Leader.Credentials;
        return _effectiveUid == 0 || _effectiveUid == other.SavedUid || _effectiveUid == other.RealUid || _realUid == other.SavedUid || _realUid == other.RealUid;
    }

    private void Note(PollEvents events)
    {
        Interlocked.Or(ref _pending, (uint)events);
        Arm(0);
    }

    private sealed class Watch(AsyncSignals signals) : WaitEntry
    {
        protected internal override void OnEvents(PollEvents events, ref PendingWakes wakes) => signals.Note(events & (Mask | PollEvents.POLLERR | PollEvents.POLLHUP));
    }
}
