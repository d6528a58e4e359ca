namespace Moat.Netstack.Packets;

/// <summary>Packets and their memory, reused so that a steady flow allocates nothing. Any thread.</summary>
public sealed class PacketPool
{
    private const int SmallSize = 512;
    private const int FrameSize = 2048;
    private const int MediumSize = 8192;
    private const int DataSize = 32768;
    private const int LargeSize = 65536 + Packet.HeaderRoom + 64;

    private readonly Lock _lock = new();
    private readonly Packet?[] _free = new Packet?[1024]; // guarded by _lock
    private int _count; // guarded by _lock

    /// <summary>Chunks for headers with little or no payload.</summary>
    public ChunkPool Small { get; } = new(SmallSize, 1024);

    /// <summary>Chunks for a frame of the usual MTU.</summary>
    public ChunkPool Frames { get; } = new(FrameSize, 1024);

    /// <summary>Chunks for a few kilobytes.</summary>
    public ChunkPool Medium { get; } = new(MediumSize, 256);

    /// <summary>Chunks for the largest IP packet.</summary>
    public ChunkPool Large { get; } = new(LargeSize, 32);

    /// <summary>Chunks of the send queues of streams that send much at once.</summary>
    public ChunkPool Data { get; } = new(DataSize, 128);

    /// <summary>What all packets and queues hold.</summary>
    public long HeldBytes => Small.HeldBytes + Frames.HeldBytes + Medium.HeldBytes + Data.HeldBytes + Large.HeldBytes;

    /// <summary>An empty packet with <see cref="Packet.HeaderRoom"/> in front and room for at least <paramref name="payload"/> bytes.</summary>
    public Packet Rent(int payload)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)payload, 65536u);
        int size = payload + Packet.HeaderRoom;
        Packet packet = RentEmpty();
        packet.Reset(size <= DataSize ? RentChunk(size) : Large.Rent(), Packet.HeaderRoom);
        return packet;
    }

    /// <summary>A chunk that fits so many bytes, or a part of them: no larger than is of use, since a queue that holds a byte of it holds it all.</summary>
    public Chunk RentChunk(long bytes) => (bytes <= SmallSize ? Small : bytes <= FrameSize ? Frames : bytes <= MediumSize ? Medium : Data).Rent();

    internal Packet RentEmpty()
    {
        Packet? packet = null;
        lock (_lock)
        {
            if (_count > 0)
            {
                packet = _free[--_count];
                _free[_count] = null;
            }
        }

        return packet ?? new Packet(this);
    }

    internal void Return(Packet packet)
    {
        lock (_lock)
        {
            if (_count < _free.Length)
            {
                _free[_count++] = packet;
            }
        }
    }
}
