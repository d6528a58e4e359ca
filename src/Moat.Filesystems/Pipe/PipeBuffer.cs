using Moat.Kernel.Vfs;
using Moat.Kernel.Waiting;
using Moat.Linux;

namespace Moat.Filesystems.Pipe;

/// <summary>What the two ends of a pipe share (pipe(7)): a ring of bytes, how many readers and writers there are, and who waits.</summary>
public sealed class PipeBuffer
{
    /// <summary>Writes up to this length are atomic.</summary>
    public const int Atom = 4096;

    /// <summary>The capacity of a new pipe.</summary>
    public const int DefaultCapacity = 65536;

    /// <summary>fs.pipe-max-size.</summary>
    public const int MaxCapacity = 1 << 20;

    private readonly Lock _lock = new();
    private byte[] _ring = new byte[Atom]; // guarded by _lock; grows to the capacity
    private int _capacity = DefaultCapacity; // guarded by _lock
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
    /// <returns>The new capacity; EBUSY if what is in it would not fit.</returns>
    public SyscallResult SetCapacity(int wanted)
    {
        int capacity = Math.Max(Atom, (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)wanted));
        lock (_lock)
        {
            if (_count > capacity)
            {
                return Errno.EBUSY;
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

        long done = 0;
        lock (_lock)
        {
            if (_count == 0)
            {
                return _writers > 0 ? Errno.EAGAIN : 0;
            }

            while (_count > 0 && !destination.IsEmpty)
            {
                int run = Math.Min(_count, _ring.Length - _start);
                if (!destination.CopyFrom(_ring.AsSpan(_start, run)).TryGet(out int copied, out Errno errno))
                {
                    return done > 0 ? done : errno;
                }

                _start = (_start + copied) % _ring.Length;
                _count -= copied;
                done += copied;
                if (copied < run)
                {
                    break;
                }
            }
        }

        Waiters.Notify(PollEvents.Writable);
        return done;
    }

    /// <summary>Puts bytes in; up to <see cref="Atom"/> bytes go in together or not at all.</summary>
    /// <returns>The count; EAGAIN when nothing fits; EPIPE when nobody reads.</returns>
    public SyscallResult Write(ref IoBuffer source)
    {
        long done = 0;
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

            if (room == 0 || (source.Length <= Atom && room < source.Length))
            {
                return Errno.EAGAIN;
            }

            int wanted = (int)Math.Min(room, source.Length);
            if (_count + wanted > _ring.Length)
            {
                Resize((int)Math.Min(_capacity, System.Numerics.BitOperations.RoundUpToPowerOf2((uint)(_count + wanted))));
            }

            while (wanted > 0)
            {
                int end = (_start + _count) % _ring.Length;
                int run = Math.Min(wanted, _ring.Length - end);
                if (!source.CopyTo(_ring.AsSpan(end, run)).TryGet(out int copied, out Errno errno))
                {
                    if (done == 0)
                    {
                        return errno;
                    }

                    break;
                }

                _count += copied;
                done += copied;
                wanted -= copied;
                if (copied < run)
                {
                    break;
                }
            }
        }

        Waiters.Notify(PollEvents.Readable);
        return done;
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
