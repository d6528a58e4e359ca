using Moat.Kernel.Memory;
using Moat.Linux;

namespace Moat.Kernel.Vfs;

/// <summary>The memory of one read or write: a list of ranges in an application's memory, or one span of the Sentry's own. It shrinks from the front as it is used.</summary>
/// <remarks>Guest ranges may be unmapped at any moment by another thread; copying then ends with EFAULT. No span into guest memory leaves this type except through <see cref="Pin"/>.</remarks>
public ref struct IoBuffer
{
    private static readonly byte[] s_zeros = new byte[32 << 10];

    private readonly MemoryManager? _memory;
    private ReadOnlySpan<IoVec> _guest; // remaining ranges; the first starts _offset bytes later
    private ulong _offset;
    private Span<byte> _own;

    /// <summary>Memory of the Sentry.</summary>
    public IoBuffer(Span<byte> own)
    {
        _own = own;
        Length = own.Length;
    }

    /// <summary>Ranges of guest memory. The caller has checked count and total (readv(2): EINVAL past IOV_MAX or SSIZE_MAX) and copied the list in.</summary>
    public IoBuffer(MemoryManager memory, ReadOnlySpan<IoVec> ranges)
    {
        _memory = memory;
        _guest = ranges;
        foreach (IoVec range in ranges)
        {
            Length += (long)range.Length;
        }
    }

    /// <summary>Where a write goes that asks for something else than the file's O_APPEND says.</summary>
    public WritePlacement Placement { get; set; }

    /// <summary>How many bytes remain.</summary>
    public long Length { get; private set; }

    /// <summary>Whether nothing remains.</summary>
    public readonly bool IsEmpty => Length == 0;

    /// <summary>Cuts the rest to at most <paramref name="length"/> bytes.</summary>
    public void Limit(long length)
    {
        if (length < Length)
        {
            Length = length;
        }
    }

    /// <summary>Copies into the buffer (a read) and moves on.</summary>
    /// <returns>How many bytes were copied: less than there are when the buffer is full or a page is missing. EFAULT only if nothing could be copied.</returns>
    public Result<int> CopyFrom(scoped ReadOnlySpan<byte> source)
    {
        int done = 0;
        while (done < source.Length && Length > 0)
        {
            int count;
            if (_memory is null)
            {
                count = (int)Math.Min(Length, source.Length - done);
                source.Slice(done, count).CopyTo(_own);
            }
            else
            {
                IoVec range = CurrentRange();
                int wanted = (int)Math.Min(Math.Min((long)range.Length, Length), source.Length - done);
                count = _memory.CopyOutPartial(new GuestAddress(range.Base), source.Slice(done, wanted));
                if (count < wanted)
                {
                    Advance(count);
                    done += count;
                    return done > 0 ? done : Errno.EFAULT;
                }
            }

            Advance(count);
            done += count;
        }

        return done;
    }

    /// <summary>Copies out of the buffer (a write) and moves on.</summary>
    /// <returns>How many bytes were copied; EFAULT only if nothing could be copied.</returns>
    public Result<int> CopyTo(scoped Span<byte> destination)
    {
        int done = 0;
        while (done < destination.Length && Length > 0)
        {
            int count;
            if (_memory is null)
            {
                count = (int)Math.Min(Length, destination.Length - done);
                _own[..count].CopyTo(destination[done..]);
            }
            else
            {
                IoVec range = CurrentRange();
                int wanted = (int)Math.Min(Math.Min((long)range.Length, Length), destination.Length - done);
                count = _memory.CopyInPartial(new GuestAddress(range.Base), destination.Slice(done, wanted));
                if (count < wanted)
                {
                    Advance(count);
                    done += count;
                    return done > 0 ? done : Errno.EFAULT;
                }
            }

            Advance(count);
            done += count;
        }

        return done;
    }

    /// <summary>Fills with zero bytes (a hole, /dev/zero) and moves on, like <see cref="CopyFrom"/>.</summary>
    public Result<long> Clear(long count)
    {
        long done = 0;
        while (done < count)
        {
            Result<int> part = CopyFrom(s_zeros.AsSpan(0, (int)Math.Min(s_zeros.Length, count - done)));
            if (!part.TryGet(out int copied, out Errno errno))
            {
                return done > 0 ? done : errno;
            }

            if (copied == 0)
            {
                break;
            }

            done += copied;
        }

        return done;
    }

    /// <summary>Moves on without copying: a host call has used <paramref name="count"/> bytes through <see cref="Pin"/>.</summary>
    public void Advance(long count)
    {
        Length -= count;
        if (_memory is null)
        {
            _own = _own[(int)count..];
            return;
        }

        ulong left = (ulong)count;
        while (left > 0)
        {
            ulong here = _guest[0].Length - _offset;
            if (left < here)
            {
                _offset += left;
                return;
            }

            left -= here;
            _guest = _guest[1..];
            _offset = 0;
        }
    }

    /// <summary>The rest as one span, if this is memory of the Sentry.</summary>
    public readonly bool TryGetOwn(out Span<byte> own)
    {
        own = _memory is null ? _own[..(int)Length] : default;
        return _memory is null;
    }

    /// <summary>Faults in the next pages of guest memory for <paramref name="access"/> and holds them, as host addresses for a host call that moves data without a copy.
    /// Dispose <paramref name="pinned"/> right after the call, then <see cref="Advance"/>.</summary>
    /// <returns>EFAULT if not even the first byte is there; pages that follow a missing one are left out. Only for guest memory (see <see cref="TryGetOwn"/>).</returns>
    public readonly Errno Pin(Platform.MemoryAccess access, ref PinnedMemory pinned) =>
        _memory!.Pin(_guest, _offset, Length, access, ref pinned);

    private IoVec CurrentRange()
    {
        while (_guest[0].Length == _offset)
        {
            _guest = _guest[1..];
            _offset = 0;
        }

        return new IoVec(_guest[0].Base + _offset, _guest[0].Length - _offset);
    }
}
