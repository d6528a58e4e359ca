using System.Diagnostics.CodeAnalysis;
using Moat.Netstack.Packets;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Tcp;

/// <summary>The bytes that a socket has been given and the peer has not acknowledged: slices of chunks in order, addressed by sequence number. Guarded by the connection's lock.</summary>
internal sealed class SendQueue
{
    private ChunkSlice[] _slices = new ChunkSlice[2]; // a ring
    private int _first;
    private int _count;
    private int _cursor; // the slice that was read last, counted from _first, and what lies before it: sending goes on where it stopped
    private long _cursorOffset;

    /// <summary>The sequence number of the first byte.</summary>
    public SequenceNumber Start { get; private set; }

    /// <summary>How many bytes there are.</summary>
    public long Length { get; private set; }

    /// <summary>The sequence number behind the last byte.</summary>
    public SequenceNumber End => Start + (int)Length;

    /// <summary>Empties the queue and says where it begins.</summary>
    public void Reset(SequenceNumber start)
    {
        while (_count > 0)
        {
            RemoveFirst();
        }

        (Start, Length, _cursor, _cursorOffset) = (start, 0, 0, 0);
    }

    /// <summary>Adds bytes at the end; the queue takes a reference on their chunk.</summary>
    public void Append(ChunkSlice slice)
    {
        if (_count > 0)
        {
            ref ChunkSlice last = ref At(_count - 1);
            if (last.Chunk == slice.Chunk && last.Offset + last.Length == slice.Offset)
            {
                last = new ChunkSlice(last.Chunk, last.Offset, last.Length + slice.Length);
                Length += slice.Length;
                return;
            }
        }

        if (_count == _slices.Length)
        {
            Grow();
        }

        slice.Chunk.AddReference();
        At(_count++) = slice;
        Length += slice.Length;
    }

    /// <summary>The memory behind the last byte, if its chunk goes on: what was written by the last call leaves room for the next, as long as the queue holds the chunk.</summary>
    /// <param name="chunk">The chunk, of which the caller gets no reference.</param>
    /// <param name="used">Where the room begins.</param>
    /// <returns>Whether there is any.</returns>
    public bool TryGetRoom([NotNullWhen(true)] out Chunk? chunk, out int used)
    {
        (chunk, used) = (null, 0);
        if (_count == 0)
        {
            return false;
        }

        ref ChunkSlice last = ref At(_count - 1);
        used = last.Offset + last.Length;
        chunk = used < last.Chunk.Bytes.Length ? last.Chunk : null;
        return chunk is not null;
    }

    /// <summary>Adds bytes of the queue to a packet: as slices, or copied where there would be too many.</summary>
    /// <param name="packet">Where to.</param>
    /// <param name="from">The first byte, in the queue.</param>
    /// <param name="length">How many.</param>
    /// <param name="copy">Whether to copy everything into the packet's linear part: for links that want contiguous frames.</param>
    /// <returns>How many were added.</returns>
    public int AddTo(Packet packet, SequenceNumber from, int length, bool copy)
    {
        long offset = from - Start;
        if (offset < _cursorOffset)
        {
            (_cursor, _cursorOffset) = (0, 0);
        }

        while (_cursor < _count && offset >= _cursorOffset + At(_cursor).Length)
        {
            _cursorOffset += At(_cursor++).Length;
        }

        int done = 0;
        int index = _cursor;
        long sliceStart = _cursorOffset;
        while (done < length && index < _count)
        {
            ChunkSlice slice = At(index);
            int skip = (int)(offset + done - sliceStart);
            int count = Math.Min(length - done, slice.Length - skip);
            if (copy)
            {
                slice.Span.Slice(skip, count).CopyTo(packet.Append(count));
            }
            else if (!packet.TryAddFragment(slice.Slice(skip, count)))
            {
                break;
            }

            done += count;
            sliceStart += slice.Length;
            index++;
        }

        return done;
    }

    /// <summary>Forgets the bytes before a sequence number.</summary>
    public void Acknowledge(SequenceNumber until)
    {
        int bytes = until - Start;
        Length -= bytes;
        Start = until;
        while (bytes > 0)
        {
            ref ChunkSlice first = ref At(0);
            if (first.Length > bytes)
            {
                first = first.Slice(bytes, first.Length - bytes);
                _cursorOffset = _cursor > 0 ? _cursorOffset - bytes : 0;
                return;
            }

            bytes -= first.Length;
            if (_cursor > 0)
            {
                _cursor--;
                _cursorOffset -= first.Length;
            }

            RemoveFirst();
        }
    }

    private ref ChunkSlice At(int index) => ref _slices[(_first + index) & (_slices.Length - 1)];

    private void RemoveFirst()
    {
        ref ChunkSlice first = ref At(0);
        first.Chunk.Release();
        first = default;
        _first = (_first + 1) & (_slices.Length - 1);
        _count--;
    }

    private void Grow()
    {
        ChunkSlice[] larger = new ChunkSlice[2 * _slices.Length];
        for (int i = 0; i < _count; i++)
        {
            larger[i] = At(i);
        }

        (_slices, _first) = (larger, 0);
    }
}
