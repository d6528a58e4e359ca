using System.Buffers.Binary;
using Moat.Kernel;
using Moat.Kernel.Tasks;
using Moat.Kernel.Time;
using Moat.Kernel.Vfs;
using Moat.Kernel.Waiting;
using Moat.Linux;

namespace Moat.Filesystems.EventFiles;

/// <summary>A timerfd_create(2): expiries that are counted and read.</summary>
public sealed class TimerfdDescription : FileDescription
{
    private const long MinJumpNs = 100_000_000;

    private readonly AnonymousFilesystem _home;
    private readonly SentryKernel _kernel;
    private readonly Lock _lock = new();
    private readonly WaitQueue _waiters = new();
    private readonly FileTimer _timer; // guarded by _lock
    private bool _cancelsOnSet; // guarded by _lock
    private long _offsetNs; // guarded by _lock: real time less monotonic time when it was set

    /// <summary>A timer that is not set.</summary>
    public TimerfdDescription(AnonymousFilesystem home, SentryKernel kernel, GuestClock clock, OpenFlags flags)
        : base(flags | OpenFlags.O_RDWR, null)
    {
        _home = home;
        _kernel = kernel;
        _timer = new FileTimer(this, clock);
    }

    /// <inheritdoc/>
    public override string AnonymousName => "anon_inode:[timerfd]";

    /// <inheritdoc/>
    public override Inode Inode => _home.Inode;

    /// <inheritdoc/>
    public override bool IsPollable => true;

    private bool ClockWasSet => _cancelsOnSet && Math.Abs(_kernel.Clock.RealtimeNs - _kernel.Clock.MonotonicNs - _offsetNs) > MinJumpNs;

    /// <summary>timerfd_settime(2): what was counted and not read is forgotten.</summary>
    /// <param name="wanted">The new setting, valid.</param>
    /// <param name="absolute">TFD_TIMER_ABSTIME.</param>
    /// <param name="cancelOnSet">TFD_TIMER_CANCEL_ON_SET: a jump of the real-time clock ends a wait with ECANCELED. It is noticed at the next read.</param>
    /// <returns>The setting before.</returns>
    public IntervalSpec SetTime(in IntervalSpec wanted, bool absolute, bool cancelOnSet)
    {
        lock (_lock)
        {
            IntervalSpec before = GetTime();
            _cancelsOnSet = cancelOnSet && absolute && _timer.Clock == GuestClock.Realtime;
            _offsetNs = _kernel.Clock.RealtimeNs - _kernel.Clock.MonotonicNs;
            _timer.Set(wanted.Value.ToNanoseconds(), wanted.Interval.ToNanoseconds(), absolute);
            return before;
        }
    }

    /// <summary>timerfd_gettime(2).</summary>
    public IntervalSpec GetTime()
    {
        lock (_lock)
        {
            return IntervalSpec.FromNanoseconds(_timer.IntervalNs, _timer.RemainingNs);
        }
    }

    /// <inheritdoc/>
    public override SyscallResult Read(GuestTask task, ref IoBuffer destination, long offset)
    {
        if (destination.Length < sizeof(ulong))
        {
            return Errno.EINVAL;
        }

        long count;
        lock (_lock)
        {
            if (ClockWasSet)
            {
                _offsetNs = _kernel.Clock.RealtimeNs - _kernel.Clock.MonotonicNs;
                return Errno.ECANCELED;
            }

            count = _timer.Forward();
        }

        if (count == 0)
        {
            return Errno.EAGAIN;
        }

        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, count);
        return destination.CopyFrom(bytes).TryGet(out int copied, out Errno errno) ? copied : errno;
    }

    /// <inheritdoc/>
    public override PollEvents Readiness(PollEvents mask)
    {
        lock (_lock)
        {
            return _timer.HasExpired || ClockWasSet ? PollEvents.POLLIN & mask : PollEvents.None;
        }
    }

    /// <inheritdoc/>
    public override void AddWaiter(WaitEntry entry) => _waiters.Add(entry);

    /// <inheritdoc/>
    public override void RemoveWaiter(WaitEntry entry) => _waiters.Remove(entry);

    /// <inheritdoc/>
    protected override void OnLastClose()
    {
        lock (_lock)
        {
            _timer.Set(0, 0, absolute: false);
        }
    }

    private sealed class FileTimer(TimerfdDescription owner, GuestClock clock) : ClockTimer(owner._kernel, clock)
    {
        protected override void OnExpired()
        {
            bool expired;
            lock (owner._lock)
            {
                expired = TakeExpiry();
            }

            if (expired)
            {
                owner._waiters.Notify(PollEvents.POLLIN);
            }
        }
    }
}
