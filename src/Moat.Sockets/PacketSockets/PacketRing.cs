using System.Buffers.Binary;
using Moat.Kernel.Memory;
using Moat.Kernel.Vfs;
using Moat.Linux;
using Moat.Platform;

namespace Moat.Sockets.PacketSockets;

/// <summary>A ring of frames in memory that a packet socket shares with the program (PACKET_RX_RING with TPACKET_V2; packet_mmap.rst). Guarded by the socket's lock.
/// The program owns a frame while its status says so; what it writes there is read once and only compared.</summary>
internal sealed class PacketRing
{
    private const int PageSize = 4096;
    private const int Alignment = 16; // TPACKET_ALIGNMENT
    private const int HeaderLength = 32; // struct tpacket2_hdr
    private const int MinFrame = HeaderLength + PacketAddress.Length;
    private const int LinkHeaderRoom = 16;
    private const long MaxBytes = 64 << 20;
    private const uint StatusUser = 1; // TP_STATUS_USER
    private const uint StatusLosing = 4; // TP_STATUS_LOSING
    private const int MaxScratch = 2 << 16; // as far as a frame's 16 bits can say where the largest packet begins, and that packet
    private const int NsPerSecond = 1_000_000_000;

    private readonly MemoryPages _pages;
    private readonly int _blockSize;
    private readonly int _frameSize;
    private readonly int _frameCount;
    private readonly int _reserve;
    private readonly byte[] _scratch;
    private int _next;

    private PacketRing(MemoryPages pages, int blockSize, int frameSize, int frameCount, int reserve)
    {
        (_pages, _blockSize, _frameSize, _frameCount, _reserve) = (pages, blockSize, frameSize, frameCount, reserve);
        _scratch = new byte[Math.Min(frameSize, MaxScratch)];
    }

    /// <summary>The memory.</summary>
    public MemoryPages Pages => _pages;

    /// <summary>The memory that it takes.</summary>
    public long HeldBytes => _pages.Size + _scratch.Length;

    /// <summary>Makes a ring of the sizes in a <c>struct tpacket_req</c>.</summary>
    /// <param name="memory">Where its pages come from.</param>
    /// <param name="request">Block size, number of blocks, frame size, number of frames.</param>
    /// <param name="reserve">PACKET_RESERVE.</param>
    /// <returns>EINVAL, ENOMEM.</returns>
    public static Result<PacketRing> Create(MemoryFile memory, ReadOnlySpan<byte> request, int reserve)
    {
        uint blockSize = BinaryPrimitives.ReadUInt32LittleEndian(request);
        uint blocks = BinaryPrimitives.ReadUInt32LittleEndian(request[4..]);
        uint frameSize = BinaryPrimitives.ReadUInt32LittleEndian(request[8..]);
        uint frames = BinaryPrimitives.ReadUInt32LittleEndian(request[12..]);
        bool isSound = blockSize is > 0 and <= int.MaxValue && blockSize % PageSize == 0 && frameSize >= (uint)(MinFrame + reserve) && frameSize % Alignment == 0 && frameSize <= blockSize;
        if (!isSound || (ulong)(blockSize / frameSize) * blocks != frames)
        {
            return Errno.EINVAL;
        }

        if ((ulong)blockSize * blocks > MaxBytes)
        {
            return Errno.ENOMEM;
        }

        MemoryPages pages = new(memory);
        pages.SetSize((long)blockSize * blocks);
        Errno errno = pages.Allocate(0, (long)blockSize * blocks, keepSize: true);
        if (errno != Errno.None)
        {
            pages.Clear();
            return Errno.ENOMEM;
        }

        return new PacketRing(pages, (int)blockSize, (int)frameSize, (int)frames, reserve);
    }

    /// <summary>Whether the frame that was written last is still the program's.</summary>
    public bool HasFrames => StatusOf((_next == 0 ? _frameCount : _next) - 1) != 0;

    /// <summary>Writes a frame.</summary>
    /// <param name="frame">Its bytes, as far as they are wanted.</param>
    /// <param name="fullLength">How many it has.</param>
    /// <param name="linkHeaderLength">How many of them are the link-layer header.</param>
    /// <param name="address">Where it was seen.</param>
    /// <param name="realtimeNs">When.</param>
    /// <param name="isLosing">Whether frames have been lost since the statistics were read last.</param>
    /// <returns>False if the ring is full, or has too much in reserve: it is lost.</returns>
    public bool TryWrite(ReadOnlySpan<byte> frame, int fullLength, int linkHeaderLength, in PacketAddress address, long realtimeNs, bool isLosing)
    {
        if (StatusOf(_next) != 0)
        {
            return false;
        }

        int network = Align(MinFrame + Math.Max(linkHeaderLength, LinkHeaderRoom)) + _reserve;
        if (network > ushort.MaxValue)
        {
            return false; // the header cannot say where it is
        }

        // The shortest frames have room for the headers alone, and say of the packet only where it would be.
        int start = network - linkHeaderLength;
        int packet = Math.Min(start, _scratch.Length);
        int captured = Math.Min(_scratch.Length - packet, frame.Length);
        Span<byte> header = _scratch;
        header[..packet].Clear();
        BinaryPrimitives.WriteInt32LittleEndian(header[4..], fullLength);
        BinaryPrimitives.WriteInt32LittleEndian(header[8..], captured);
        BinaryPrimitives.WriteUInt16LittleEndian(header[12..], (ushort)start);
        BinaryPrimitives.WriteUInt16LittleEndian(header[14..], (ushort)network);
        BinaryPrimitives.WriteUInt32LittleEndian(header[16..], (uint)(realtimeNs / NsPerSecond));
        BinaryPrimitives.WriteUInt32LittleEndian(header[20..], (uint)(realtimeNs % NsPerSecond));
        address.Write(header[HeaderLength..]);
        frame[..captured].CopyTo(header[packet..]);
        long offset = OffsetOf(_next);
        if (!Write(offset + sizeof(uint), header[sizeof(uint)..(packet + captured)]))
        {
            return false;
        }

        // The status comes last: it gives the frame to the program.
        BinaryPrimitives.WriteUInt32LittleEndian(header, StatusUser | (isLosing ? StatusLosing : 0));
        _next = (_next + 1) % _frameCount;
        return Write(offset, header[..sizeof(uint)]);
    }

    private static int Align(int length) => (length + Alignment - 1) & ~(Alignment - 1);

    private long OffsetOf(int frame)
    {
        int perBlock = _blockSize / _frameSize;
        return ((long)(frame / perBlock) * _blockSize) + ((long)(frame % perBlock) * _frameSize);
    }

    private uint StatusOf(int frame)
    {
        Span<byte> status = stackalloc byte[sizeof(uint)];
        return _pages.ReadAt((ulong)OffsetOf(frame), status).TryGet(out _, out _) ? BinaryPrimitives.ReadUInt32LittleEndian(status) : StatusUser;
    }

    private bool Write(long offset, Span<byte> bytes)
    {
        IoBuffer source = new(bytes);
        return !_pages.Write(ref source, offset).IsError;
    }
}
