using Moat.Kernel.Vfs;
using Moat.Kernel.Waiting;
using Moat.Linux;

namespace Moat.Filesystems.Pipe;

/// <summary>What the two ends of a pipe share (pipe(7)): a ring of bytes, how many readers and writers there are, and who waits.</summary>
/// <remarks>
/// Guest memory is copied under the lock of one side (line 1 of the lock order), never under the ring's: a copy can fault. Whoever holds the read lock owns the bytes at the front, whoever holds the
/// write lock owns the free place and the size of the ring. Both: the read lock first.
/// </remarks>
/// <param name="budget">What its capacity counts against while it has an end.</param>
public sealed class PipeBuffer(PipeBudget budget)
{
    /// <summary>Writes up to this length are atomic.</summary>
    public const int Atom = 4096;

    /// <summary>The capacity of a new pipe.</summary>
    public const int DefaultCapacity = 65536;

    /// <summary>The capacity of a new pipe when there are too many.</summary>
    public const int SmallCapacity = 2 * Atom;

    /// <summary>fs.pipe-max-size.</summary>
    public const int MaxCapacity = 1 << 20;

    private readonly Lock _readLock = new();
    private readonly Lock _writeLock = new();
    private readonly Lock _lock = new();
    private byte[] _ring = new byte[Atom]; // guarded by _lock; grows to the capacity
    private int _capacity = SmallCapacity; // guarded by _lock
    private int _charged; // guarded by _lock: what it has of the budget
    private int _start; // guarded by _lock
    private int _count; // guarded by _lock
    private int _readers; // guarded by _lock
    private int _writers; // guarded by _lock
    private long _readerOpens; // guarded by _lock
    private long _writerOpens; // guarded by _lock

    /// <summary>Who waits on either end.</summary>
    public WaitQueue Waiters { get; } = new();

    /// <summary>How many bytes are in it.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _count;
            }
        }
    }

    /// <summary>How many bytes fit (F_GETPIPE_SZ).</summary>
    public int Capacity
    {
        get
        {
            lock (_lock)
            {
                return _capacity;
            }
        }
    }

    /// <summary>How often an end has been opened for reading.</summary>
    public long ReaderOpens
    {
        get
        {
            lock (_lock)
            {
                return _readerOpens;
            }
        }
    }

    /// <summary>How often an end has been opened for writing.</summary>
    public long WriterOpens
    {
        get
        {
            lock (_lock)
            {
                return _writerOpens;
            }
        }
    }

    /// <summary>Whether somebody can still write.</summary>
    public bool HasWriters
    {
        get
        {
            lock (_lock)
            {
                return _writers > 0;
            }
        }
    }

    /// <summary>Whether somebody can still read.</summary>
    public bool HasReaders
    {
        get
        {
            lock (_lock)
            {
                return _readers > 0;
            }
        }
    }

    /// <summary>F_SETPIPE_SZ: a power of two, at least a page.</summary>
    /// <returns>The new capacity; EBUSY if what is in it would not fit; EPERM if all pipes together would be too large.</returns>
    public SyscallResult SetCapacity(int wanted)
    {
        int capacity = Math.Max(Atom, (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)wanted));
        lock (_writeLock)
        lock (_lock)
        {
            if (_count > capacity)
            {
                return Errno.EBUSY;
            }

            if (capacity > _capacity && !budget.TryTake(capacity - _charged))
            {
                return Errno.EPERM;
            }

            if (capacity > _capacity)
            {
                _charged = capacity;
            }
            else if (capacity < _charged)
            {
                budget.Return(_charged - capacity);
                _charged = capacity;
            }

            _capacity = capacity;
            Resize(Math.Max(Math.Min(_ring.Length, capacity), _count));
        }

        Waiters.Notify(PollEvents.Writable);
        return capacity;
    }

    /// <summary>An end was opened.</summary>
    public void AddEnd(bool reads, bool writes)
    {
        lock (_lock)
        {
            if (_readers == 0 && _writers == 0)
            {
                _charged = budget.TryTake(DefaultCapacity) ? DefaultCapacity : 0;
                _capacity = _charged > 0 ? DefaultCapacity : SmallCapacity;
            }

            _readers += reads ? 1 : 0;
            _writers += writes ? 1 : 0;
            _readerOpens += reads ? 1 : 0;
            _writerOpens += writes ? 1 : 0;
        }

        Waiters.Notify(PollEvents.Readable | PollEvents.Writable);
    }

    /// <summary>An end was closed.</summary>
    public void RemoveEnd(bool reads, bool writes)
    {
        lock (_lock)
        {
            _readers -= reads ? 1 : 0;
            _writers -= writes ? 1 : 0;
            if (_readers == 0 && _writers == 0)
            {
                _count = 0;
                _ring = new byte[Atom];
                budget.Return(_charged);
                _charged = 0;
            }
        }

        Waiters.Notify(PollEvents.POLLHUP | PollEvents.POLLERR | PollEvents.Readable | PollEvents.Writable);
    }

    /// <summary>Takes bytes out.</summary>
    /// <returns>The count; 0 at the end; EAGAIN when there are none yet.</returns>
    public SyscallResult Read(ref IoBuffer destination)
    {
        if (destination.IsEmpty)
        {
            return 0;
        }

        SyscallResult result;
        lock (_readLock)
        {
            byte[] ring;
            int start;
            int count;
            lock (_lock)
            {
                if (_count == 0)
                {
                    return _writers > 0 ? Errno.EAGAIN : 0;
                }

                (ring, start, count) = (_ring, _start, (int)Math.Min(_count, destination.Length));
            }

            int first = Math.Min(count, ring.Length - start);
            int done = 0;
            if (destination.CopyFrom(ring.AsSpan(start, first)).TryGet(out int copied, out Errno errno))
            {
                done = copied;
                if (copied == first && first < count && destination.CopyFrom(ring.AsSpan(0, count - first)).TryGet(out copied, out _))
                {
                    done += copied;
                }
            }

            lock (_lock)
            {
                _start = (_start + done) % _ring.Length;
                _count -= done;
            }

            result = done > 0 ? done : errno;
        }

        if (!result.IsError)
        {
            Waiters.Notify(PollEvents.Writable);
        }

        return result;
    }

    /// <summary>Puts bytes in; up to <see cref="Atom"/> bytes go in together or not at all.</summary>
    /// <returns>The count; EAGAIN when nothing fits; EPIPE when nobody reads.</returns>
    public SyscallResult Write(ref IoBuffer source)
    {
        SyscallResult result;
        lock (_writeLock)
        {
            byte[] ring;
            int end;
            int wanted;
            lock (_lock)
            {
                if (_readers == 0)
                {
                    return Errno.EPIPE;
                }

                int room = _capacity - _count;
                if (source.IsEmpty)
                {
                    return 0;
                }

                if (room <= 0 || (source.Length <= Atom && room < source.Length))
                {
                    return Errno.EAGAIN;
                }

                wanted = (int)Math.Min(room, source.Length);
                if (_count + wanted > _ring.Length)
                {
                    Resize((int)Math.Min(_capacity, System.Numerics.BitOperations.RoundUpToPowerOf2((uint)(_count + wanted))));
                }

                (ring, end) = (_ring, (_start + _count) % _ring.Length);
            }

            int first = Math.Min(wanted, ring.Length - end);
            int done = 0;
            if (source.CopyTo(ring.AsSpan(end, first)).TryGet(out int copied, out Errno errno))
            {
                done = copied;
                if (copied == first && first < wanted && source.CopyTo(ring.AsSpan(0, wanted - first)).TryGet(out copied, out _))
                {
                    done += copied;
                }
            }

            lock (_lock)
            {
                _count += done;
            }

            result = done > 0 ? done : errno;
        }

        if (!result.IsError)
        {
            Waiters.Notify(PollEvents.Readable);
        }

        return result;
    }

    /// <summary>How many bytes fit now.</summary>
    public int Room
    {
        get
        {
            lock (_lock)
            {
                return Math.Max(0, _capacity - _count);
            }
        }
    }

    /// <summary>Copies bytes from the front and leaves them there (tee(2)).</summary>
    public int Peek(Span<byte> destination)
    {
        lock (_lock)
        {
            int count = Math.Min(_count, destination.Length);
            int first = Math.Min(count, _ring.Length - _start);
            _ring.AsSpan(_start, first).CopyTo(destination);
            _ring.AsSpan(0, count - first).CopyTo(destination[first..]);
            return count;
        }
    }

    /// <summary>Puts in what fits (splice(2)): pieces need not stay together.</summary>
    /// <returns>The count; EPIPE when nobody reads.</returns>
    public SyscallResult Append(ReadOnlySpan<byte> bytes)
    {
        int count;
        lock (_writeLock)
        lock (_lock)
        {
            if (_readers == 0)
            {
                return Errno.EPIPE;
            }

            count = Math.Min(bytes.Length, Math.Max(0, _capacity - _count));
            Insert(bytes[..count], atFront: false);
        }

        Waiters.Notify(PollEvents.Readable);
        return count;
    }

    /// <summary>Puts bytes back that were taken and found no place, ahead of all others, whatever the capacity.</summary>
    public void PutBack(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            return;
        }

        lock (_readLock)
        lock (_writeLock)
        lock (_lock)
        {
            Insert(bytes, atFront: true);
        }

        Waiters.Notify(PollEvents.Readable);
    }

    private void Insert(ReadOnlySpan<byte> bytes, bool atFront)
    {
        if (_count + bytes.Length > _ring.Length)
        {
            Resize((int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)(_count + bytes.Length)));
        }

        int at = atFront ? (_start + _ring.Length - bytes.Length) % _ring.Length : (_start + _count) % _ring.Length;
        int first = Math.Min(bytes.Length, _ring.Length - at);
        bytes[..first].CopyTo(_ring.AsSpan(at));
        bytes[first..].CopyTo(_ring);
        _start = atFront ? at : _start;
        _count += bytes.Length;
    }

    private void Resize(int size)
    {
        if (size == _ring.Length)
        {
            return;
        }

        byte[] ring = new byte[size];
        int first = Math.Min(_count, _ring.Length - _start);
        _ring.AsSpan(_start, first).CopyTo(ring);
        _ring.AsSpan(0, _count - first).CopyTo(ring.AsSpan(first));
        (_ring, _start) = (ring, 0);
    }
}
