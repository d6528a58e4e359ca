using Moat.Host.Sockets;
using Moat.Netstack.Link;
using Moat.Netstack.Packets;
using Moat.Netstack.Wire;

namespace Moat.Sentry.Network;

/// <summary>An Ethernet interface of the container's network namespace, as a link of the stack. The host cuts large TCP packets and completes checksums.</summary>
/// <param name="fd">The packet socket that all links share.</param>
/// <param name="hostIndex">The interface's number on the host.</param>
internal sealed class PacketLink(int fd, int hostIndex) : ILink
{
    private const int BatchFrames = 32;
    private const int MaxBuffers = Packet.MaxFragments + 1;
    private const int MaxQueued = 4096;

    private readonly PacketSender _sender = new(fd, BatchFrames, MaxBuffers); // of the thread that has entered
    private readonly Packet[] _batch = new Packet[BatchFrames]; // as above
    private readonly Lock _lock = new();
    private PacketQueue _queue; // guarded by _lock; its count may be read without
    private ILinkSink _sink = null!;
    private int _isServed;
    private long _dropped;

    /// <inheritdoc/>
    public EthernetAddress Address { get; set; }

    /// <inheritdoc/>
    public int Mtu { get; set; }

    /// <inheritdoc/>
    public LinkFeatures Features => LinkFeatures.Ethernet | LinkFeatures.TransmitChecksum | LinkFeatures.TcpSegmentation;

    /// <summary>Frames that found the queue full, or that the host did not take.</summary>
    public long Dropped => Volatile.Read(ref _dropped);

    /// <inheritdoc/>
    public void Attach(ILinkSink sink) => _sink = sink;

    /// <summary>A frame has come in.</summary>
    public void Deliver(Packet packet) => _sink.Deliver(packet);

    /// <inheritdoc/>
    public void Transmit(Packet packet)
    {
        lock (_lock)
        {
            if (_queue.Count < MaxQueued)
            {
                _queue.Enqueue(packet);
                return;
            }
        }

        Interlocked.Increment(ref _dropped);
        packet.Release();
    }

    /// <inheritdoc/>
    public void Flush()
    {
        // One thread at a time sends; who finds it at work leaves its packets to it, and it looks again after it has left.
        while (_queue.Count > 0 && Interlocked.Exchange(ref _isServed, 1) == 0)
        {
            while (SendBatch())
            {
            }

            Interlocked.Exchange(ref _isServed, 0);
        }
    }

    private bool SendBatch()
    {
        int count = 0;
        lock (_lock)
        {
            while (count < BatchFrames && _queue.Dequeue() is { } packet)
            {
                _batch[count++] = packet;
            }
        }

        for (int i = 0; i < count; i++)
        {
            Add(_batch[i]);
        }

        int lost = _sender.Send();
        if (lost > 0)
        {
            Interlocked.Add(ref _dropped, lost);
        }

        for (int i = 0; i < count; i++)
        {
            _batch[i].Release();
            _batch[i] = null!;
        }

        return count == BatchFrames;
    }

    private void Add(Packet packet)
    {
        _sender.Begin(hostIndex, HeaderOf(packet));
        Add(packet.LinearSlice);
        foreach (ref readonly ChunkSlice slice in packet.Fragments)
        {
            Add(slice);
        }
    }

    private void Add(in ChunkSlice slice) => _sender.Add(slice.Chunk.Bytes, slice.Offset, slice.Length);

    // Only TCP leaves its checksum, and its cutting, to the link.
    private static VirtioHeader HeaderOf(Packet packet)
    {
        VirtioHeader header = default;
        if (packet.Checksum != ChecksumState.Partial)
        {
            return header;
        }

        ReadOnlySpan<byte> transport = packet.LinearFrom(packet.TransportHeader);
        header.Flags = VirtioHeader.NeedsChecksum;
        header.ChecksumStart = (ushort)(packet.TransportHeader - packet.Start);
        header.ChecksumOffset = TcpHeader.ChecksumOffset;
        if (packet.SegmentSize > 0 && TcpHeader.TryParse(transport, out TcpHeader tcp))
        {
            bool isV4 = packet.LinearFrom(packet.NetworkHeader)[0] >> 4 == 4;
            header.SegmentationType = isV4 ? VirtioHeader.TcpV4 : VirtioHeader.TcpV6;
            header.SegmentSize = (ushort)packet.SegmentSize;
            header.HeaderLength = (ushort)(header.ChecksumStart + tcp.HeaderLength);
        }

        return header;
    }
}
