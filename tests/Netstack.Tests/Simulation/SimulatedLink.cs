using Moat.Netstack.Link;
using Moat.Netstack.Packets;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Tests.Simulation;

/// <summary>One end of a wire.</summary>
/// <remarks>Its chance is its own: whether its n-th frame is lost depends on the seed alone, not on what happens elsewhere.</remarks>
internal sealed class SimulatedLink(SimulatedNetwork network, SimulatedPath path, EthernetAddress address, int seed) : ILink
{
    private readonly Random _random = new(seed);
    private ILinkSink _sink = null!;
    private long _freeNs;

    /// <summary>The other end.</summary>
    public SimulatedLink Peer { get; set; } = null!;

    /// <summary>Packets for what arrives.</summary>
    public PacketPool Pool { get; set; } = null!;

    /// <summary>Who sees every frame that is sent.</summary>
    public PacketTrace? Trace { get; set; }

    /// <summary>Loses everything: a cable that was pulled.</summary>
    public bool IsCut { get; set; }

    /// <summary>Loses what it says true of.</summary>
    public Func<byte[], bool>? Drops { get; set; }

    /// <summary>Holds a frame back for so many nanoseconds.</summary>
    public Func<byte[], long>? Holds { get; set; }

    /// <inheritdoc/>
    public EthernetAddress Address => address;

    /// <inheritdoc/>
    public int Mtu => 1500;

    /// <inheritdoc/>
    public LinkFeatures Features => LinkFeatures.Ethernet;

    /// <inheritdoc/>
    public void Attach(ILinkSink sink) => _sink = sink;

    /// <inheritdoc/>
    public void Transmit(Packet packet)
    {
        byte[] frame = new byte[packet.Length];
        packet.CopyTo(0, frame);
        packet.Release();
        bool isLost = _random.NextDouble() < path.Loss;
        bool isHeldBack = _random.NextDouble() < path.Reordering;
        bool isRepeated = _random.NextDouble() < path.Duplication;
        isLost = IsCut || isLost || Drops?.Invoke(frame) == true;
        Trace?.Add(this, frame, isLost);
        if (isLost)
        {
            return;
        }

        long start = Math.Max(_freeNs, network.NowNs);
        if (path.BytesPerSecond > 0)
        {
            if ((start - network.NowNs) * path.BytesPerSecond / 1_000_000_000 > path.QueueBytes)
            {
                return;
            }

            _freeNs = start + (frame.Length * 1_000_000_000L / path.BytesPerSecond);
            start = _freeNs;
        }

        long delay = start - network.NowNs + path.DelayNs + (isHeldBack ? path.DelayNs / 2 : 0) + (Holds?.Invoke(frame) ?? 0);
        network.Send(Peer, frame, delay);
        if (isRepeated)
        {
            network.Send(Peer, frame, delay + 1000);
        }
    }

    /// <inheritdoc/>
    public void Flush()
    {
    }

    /// <summary>A frame arrives here.</summary>
    public void Deliver(byte[] frame)
    {
        Packet packet = Pool.Rent(frame.Length);
        frame.CopyTo(packet.Append(frame.Length));
        _sink.Deliver(packet);
    }
}
