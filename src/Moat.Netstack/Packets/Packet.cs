using System.Runtime.CompilerServices;

namespace Moat.Netstack.Packets;

/// <summary>A packet on its way through the stack: a linear part, which holds every header (and, of a packet from the wire, everything), and slices of other chunks behind it,
/// so that a sender's data goes out, over loopback, and into the receiver's queue without a copy.</summary>
/// <remarks>One owner at a time: whoever is given a packet passes it on or releases it. A packet that is queued twice is <see cref="Share"/>d. Layers move <see cref="Start"/>
/// behind the header they have read (<see cref="Pull"/>) and before the one they write (<see cref="Push"/>).</remarks>
public sealed class Packet
{
    /// <summary>Room for headers in front of a packet's payload: Ethernet with a tag, IPv6 with a fragment header, TCP with options.</summary>
    public const int HeaderRoom = 192;

    /// <summary>The most slices a packet may have; 64 KiB in pages of 4 KiB, and one for the unaligned rest.</summary>
    public const int MaxFragments = 17;

    private readonly PacketPool _pool;
    private Chunk _linear;
    private FragmentArray _fragments;
    private int _fragmentCount;
    private int _fragmentBytes;

    internal Packet(PacketPool pool)
    {
        _pool = pool;
        _linear = null!;
    }

    /// <summary>Where the linear part begins in its chunk.</summary>
    public int Start { get; private set; }

    /// <summary>Where the linear part ends in its chunk.</summary>
    public int End { get; private set; }

    /// <summary>Bytes from <see cref="Start"/> on, slices included.</summary>
    public int Length => End - Start + _fragmentBytes;

    /// <summary>Bytes of the linear part.</summary>
    public int LinearLength => End - Start;

    /// <summary>What it is charged for in a socket's buffer: its memory, not its data. It does not shrink with the data, so that a queue that counted it can discount the same.</summary>
    public int TrueSize { get; private set; }

    /// <summary>The linear part.</summary>
    public Span<byte> Linear => _linear.Bytes.AsSpan(Start, End - Start);

    /// <summary>The linear part, for who needs to know where its memory is.</summary>
    public ChunkSlice LinearSlice => new(_linear, Start, End - Start);

    /// <summary>The slices behind the linear part.</summary>
    public ReadOnlySpan<ChunkSlice> Fragments => ((ReadOnlySpan<ChunkSlice>)_fragments)[.._fragmentCount];

    /// <summary>Whether the transport checksum is known to be right (loopback, or verified by the device) or still to be filled in (on the way out).</summary>
    public ChecksumState Checksum { get; set; }

    /// <summary>Payload bytes of each segment that a link may cut the packet into, or 0: a TCP packet larger than the MTU.</summary>
    public int SegmentSize { get; set; }

    /// <summary>Where the link-layer header began, or -1; for packet sockets.</summary>
    public int LinkHeader { get; set; }

    /// <summary>Where the network header begins; set by the layer that parses or writes it.</summary>
    public int NetworkHeader { get; set; }

    /// <summary>Where the transport header begins.</summary>
    public int TransportHeader { get; set; }

    /// <summary>The index of the interface it came in through or goes out of.</summary>
    public int InterfaceIndex { get; set; }

    /// <summary>When it arrived: monotonic nanoseconds.</summary>
    public long ArrivedNs { get; set; }

    /// <summary>SO_MARK or a filter's mark.</summary>
    public uint Mark { get; set; }

    /// <summary>How many virtual interfaces it has passed.</summary>
    public byte Hops { get; set; }

    /// <summary>Who sends it; null if that is nobody here.</summary>
    public PacketOwner? Owner { get; set; }

    /// <summary>The connection that it was found to belong to, or null.</summary>
    public Filter.Tracking.TrackedFlow? Flow { get; set; }

    /// <summary>What it is to that connection.</summary>
    public Filter.Tracking.PacketFlowState FlowState { get; set; }

    /// <summary>Whether it goes against the connection's direction.</summary>
    public bool IsFlowReply { get; set; }

    /// <summary>The next packet of the queue it is in; the queue's alone.</summary>
    internal Packet? Next { get; set; }

    /// <summary>The linear part's bytes from an offset in the chunk on, such as <see cref="NetworkHeader"/>.</summary>
    public Span<byte> LinearFrom(int position) => _linear.Bytes.AsSpan(position, End - position);

    /// <summary>Takes <paramref name="length"/> bytes off the front of the linear part.</summary>
    public void Pull(int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)length, (uint)LinearLength);
        Start += length;
    }

    /// <summary>Takes <paramref name="length"/> bytes off the front, slices included: data that is there already, or has been read.</summary>
    public void Drop(int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)length, (uint)Length);
        int linear = Math.Min(length, LinearLength);
        Start += linear;
        length -= linear;
        int gone = 0;
        while (length > 0)
        {
            ChunkSlice first = _fragments[gone];
            int cut = Math.Min(length, first.Length);
            length -= cut;
            _fragmentBytes -= cut;
            if (cut == first.Length)
            {
                first.Chunk.Release();
                gone++;
            }
            else
            {
                _fragments[gone] = first.Slice(cut, first.Length - cut);
            }
        }

        if (gone > 0)
        {
            Span<ChunkSlice> all = _fragments;
            all[gone.._fragmentCount].CopyTo(all);
            all[(_fragmentCount - gone).._fragmentCount].Clear();
            _fragmentCount -= gone;
        }
    }

    /// <summary>Makes room for a header in front and returns it, not cleared.</summary>
    public Span<byte> Push(int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)length, (uint)Start);
        Start -= length;
        return _linear.Bytes.AsSpan(Start, length);
    }

    /// <summary>Goes back to a position, such as <see cref="LinkHeader"/>, that the packet was at before.</summary>
    public void MoveTo(int position)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)position, (uint)End);
        Start = position;
    }

    /// <summary>Makes the linear part longer and returns what was added, not cleared.</summary>
    public Span<byte> Append(int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)length, (uint)(_linear.Bytes.Length - End));
        End += length;
        return _linear.Bytes.AsSpan(End - length, length);
    }

    /// <summary>Takes over the bytes of a packet that follows this one, if there is room for them behind its linear part and nothing else is there. The other stays the caller's.</summary>
    /// <remarks>Whoever looks at this packet meanwhile sees what it was, or what it becomes.</remarks>
    public bool TryAbsorb(Packet following)
    {
        int length = following.Length;
        if (_fragmentCount > 0 || _linear.IsShared || length > _linear.Bytes.Length - End)
        {
            return false;
        }

        _ = following.CopyTo(0, _linear.Bytes.AsSpan(End, length));
        Volatile.WriteBarrier();
        End += length;
        return true;
    }

    /// <summary>Copies what its slices show into the linear part, if there is room, so that it can <see cref="TryAbsorb"/> others.</summary>
    public void Flatten()
    {
        if (_fragmentCount == 0 || _linear.IsShared || _fragmentBytes > _linear.Bytes.Length - End)
        {
            return;
        }

        foreach (ref readonly ChunkSlice slice in Fragments)
        {
            slice.Span.CopyTo(_linear.Bytes.AsSpan(End));
            End += slice.Length;
            slice.Chunk.Release();
        }

        ((Span<ChunkSlice>)_fragments)[.._fragmentCount].Clear();
        _fragmentCount = 0;
        _fragmentBytes = 0;
    }

    /// <summary>Adds a slice behind everything; the packet takes a reference of its own on the chunk.</summary>
    /// <returns>False if it has <see cref="MaxFragments"/> already.</returns>
    public bool TryAddFragment(ChunkSlice slice)
    {
        if (_fragmentCount == MaxFragments)
        {
            return false;
        }

        slice.Chunk.AddReference();
        _fragments[_fragmentCount++] = slice;
        _fragmentBytes += slice.Length;
        TrueSize += slice.Length;
        return true;
    }

    /// <summary>Counts memory that it keeps besides its data: the unused rest of a slice's chunk.</summary>
    public void Charge(int unused) => TrueSize += unused;

    /// <summary>Cuts the packet to its first <paramref name="length"/> bytes: padding of short frames, data beyond a window.</summary>
    public void Truncate(int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)length, (uint)Length);
        int excess = Length - length;
        while (excess > 0 && _fragmentCount > 0)
        {
            ChunkSlice last = _fragments[_fragmentCount - 1];
            int cut = Math.Min(excess, last.Length);
            excess -= cut;
            _fragmentBytes -= cut;
            if (cut == last.Length)
            {
                last.Chunk.Release();
                _fragments[--_fragmentCount] = default;
            }
            else
            {
                _fragments[_fragmentCount - 1] = last.Slice(0, last.Length - cut);
            }
        }

        End -= excess;
    }

    /// <summary>Copies bytes from an offset behind <see cref="Start"/> on.</summary>
    /// <returns>How many there were, at most the destination's length.</returns>
    public int CopyTo(int offset, Span<byte> destination)
    {
        int done = 0;
        while (done < destination.Length && offset < Length)
        {
            ReadOnlySpan<byte> piece = PieceAt(offset);
            int count = Math.Min(piece.Length, destination.Length - done);
            piece[..count].CopyTo(destination[done..]);
            done += count;
            offset += count;
        }

        return done;
    }

    /// <summary>The contiguous bytes that begin at an offset behind <see cref="Start"/>; empty at the end.</summary>
    public ReadOnlySpan<byte> PieceAt(int offset)
    {
        if (offset < LinearLength)
        {
            return Linear[offset..];
        }

        offset -= LinearLength;
        foreach (ref readonly ChunkSlice slice in Fragments)
        {
            if (offset < slice.Length)
            {
                return slice.Span[offset..];
            }

            offset -= slice.Length;
        }

        return default;
    }

    /// <summary>Adds everything from an offset behind <see cref="Start"/> to a checksum.</summary>
    public void AddTo(ref Wire.InternetChecksum checksum, int offset)
    {
        // Pieces of odd length would shift what follows by a byte: they are summed through a small buffer.
        Span<byte> joint = stackalloc byte[2];
        while (offset < Length)
        {
            ReadOnlySpan<byte> piece = PieceAt(offset);
            bool isLast = offset + piece.Length == Length;
            int even = isLast ? piece.Length : piece.Length & ~1;
            checksum.Add(piece[..even]);
            offset += even;
            if (even < piece.Length)
            {
                offset += CopyTo(offset, joint);
                checksum.Add(joint);
            }
        }
    }

    /// <summary>Another packet over the same memory, for a second queue: neither side may write to the bytes any more.</summary>
    public Packet Share()
    {
        Packet copy = _pool.RentEmpty();
        _linear.AddReference();
        copy._linear = _linear;
        foreach (ref readonly ChunkSlice slice in Fragments)
        {
            _ = copy.TryAddFragment(slice);
        }

        copy.TrueSize = TrueSize;
        copy.Start = Start;
        copy.End = End;
        copy.Checksum = Checksum;
        copy.SegmentSize = SegmentSize;
        copy.LinkHeader = LinkHeader;
        copy.NetworkHeader = NetworkHeader;
        copy.TransportHeader = TransportHeader;
        copy.InterfaceIndex = InterfaceIndex;
        copy.ArrivedNs = ArrivedNs;
        copy.Mark = Mark;
        copy.Hops = Hops;
        copy.Owner = Owner;
        (copy.Flow, copy.FlowState, copy.IsFlowReply) = (Flow, FlowState, IsFlowReply);
        return copy;
    }

    /// <summary>Makes the linear part the packet's own, so that headers can be written to: what another packet shows of it stays as it is.</summary>
    public void Unshare()
    {
        if (!_linear.IsShared)
        {
            return;
        }

        // The copy's headers are where they were.
        Chunk own = _pool.RentChunk(End);
        _linear.Bytes.AsSpan(0, End).CopyTo(own.Bytes);
        _linear.Release();
        _linear = own;
    }

    /// <summary>The packet goes over to another stack: what this one knows of it means nothing there.</summary>
    public void ForgetStack()
    {
        Mark = 0;
        Owner = null;
        (Flow, FlowState, IsFlowReply) = (null, Filter.Tracking.PacketFlowState.None, false);
    }

    /// <summary>Gives the packet back; its owner must not use it again.</summary>
    public void Release()
    {
        _linear.Release();
        foreach (ref readonly ChunkSlice slice in Fragments)
        {
            slice.Chunk.Release();
        }

        ((Span<ChunkSlice>)_fragments)[.._fragmentCount].Clear();
        _fragmentCount = 0;
        _fragmentBytes = 0;
        _linear = null!;
        Flow = null;
        _pool.Return(this);
    }

    internal void Reset(Chunk linear, int start)
    {
        const int Overhead = 256; // the object itself
        TrueSize = linear.Bytes.Length + Overhead;
        _linear = linear;
        Start = start;
        End = start;
        Checksum = ChecksumState.None;
        SegmentSize = 0;
        LinkHeader = -1;
        NetworkHeader = start;
        TransportHeader = start;
        InterfaceIndex = 0;
        ArrivedNs = 0;
        Mark = 0;
        Hops = 0;
        Owner = null;
        (Flow, FlowState, IsFlowReply) = (null, Filter.Tracking.PacketFlowState.None, false);
        Next = null;
    }

    [InlineArray(MaxFragments)]
    private struct FragmentArray
    {
        private ChunkSlice _first;
    }
}
