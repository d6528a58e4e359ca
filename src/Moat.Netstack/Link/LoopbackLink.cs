using System.Numerics;
using Moat.Netstack.Packets;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Link;

/// <summary>The interface <c>lo</c>: what is sent is received. Sending happens under a connection's lock and receiving takes the peer's, so packets wait in queues until the thread
/// that sent them calls <see cref="Flush"/> with no lock held. Packets of one flow use one queue and keep their order; different flows can be served by different threads.</summary>
public sealed class LoopbackLink : ILink
{
    private const int QueueCount = 64; // the bits of _waiting: seldom do two flows that different threads serve share one
    private const int MaxQueued = 1024;

    private readonly FlowQueue[] _queues = new FlowQueue[QueueCount];
    private ILinkSink _sink = null!;
    private long _dropped;
    private ulong _waiting; // a bit for each queue, set while it holds packets; changed under the queue's lock

    /// <summary>A loopback link with empty queues.</summary>
    public LoopbackLink()
    {
        for (int i = 0; i < QueueCount; i++)
        {
            _queues[i] = new FlowQueue();
        }
    }

    /// <inheritdoc/>
    public EthernetAddress Address => default;

    /// <inheritdoc/>
    public int Mtu => 65536;

    /// <inheritdoc/>
    public LinkFeatures Features => LinkFeatures.Loopback | LinkFeatures.TransmitChecksum | LinkFeatures.TcpSegmentation;

    /// <summary>Packets that found their queue full.</summary>
    public long Dropped => Volatile.Read(ref _dropped);

    /// <inheritdoc/>
    public void Attach(ILinkSink sink) => _sink = sink;

    /// <inheritdoc/>
    public void Transmit(Packet packet)
    {
        if (packet.Checksum == ChecksumState.Partial)
        {
            packet.Checksum = ChecksumState.Verified;
        }

        int index = (int)(FlowHash.Of(packet) % QueueCount);
        FlowQueue queue = _queues[index];
        lock (queue.Lock)
        {
            if (queue.Packets.Count < MaxQueued)
            {
                queue.Packets.Enqueue(packet);
                if (queue.Packets.Count == 1)
                {
                    Interlocked.Or(ref _waiting, 1UL << index);
                }

                return;
            }
        }

        Interlocked.Increment(ref _dropped);
        packet.Release();
    }

    /// <inheritdoc/>
    public void Flush()
    {
        // What is delivered causes answers, which may go to a queue that has been passed already.
        bool any = true;
        while (any && Volatile.Read(ref _waiting) is var waiting and not 0)
        {
            any = false;
            for (; waiting != 0; waiting &= waiting - 1)
            {
                any |= Serve(BitOperations.TrailingZeroCount(waiting));
            }
        }
    }

    private bool Serve(int index)
    {
        FlowQueue queue = _queues[index];
        bool any = false;
        while (queue.Packets.Count > 0 && queue.TryEnter())
        {
            while (Take(index) is { } packet)
            {
                _sink.Deliver(packet);
                any = true;
            }

            queue.Leave();
        }

        return any;
    }

    private Packet? Take(int index)
    {
        FlowQueue queue = _queues[index];
        lock (queue.Lock)
        {
            Packet? packet = queue.Packets.Dequeue();
            if (packet is not null && queue.Packets.Count == 0)
            {
                Interlocked.And(ref _waiting, ~(1UL << index));
            }

            return packet;
        }
    }

    private sealed class FlowQueue
    {
        private int _isServed;

        public readonly Lock Lock = new();
        public PacketQueue Packets; // guarded by Lock; its count may be read without

        // One thread at a time serves a queue; who finds it served leaves its packets to that thread, which looks again after it has left.
        public bool TryEnter() => Interlocked.Exchange(ref _isServed, 1) == 0;

        public void Leave() => Interlocked.Exchange(ref _isServed, 0);
    }
}
