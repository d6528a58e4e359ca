using Moat.Netstack.Packets;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Link;

/// <summary>One end of a virtual pair (veth(4)): what goes in here comes out of the other end, which may belong to another stack.</summary>
public sealed class VethLink : VirtualLink
{
    private readonly LinkBacklog _backlog;
    private readonly BacklogQueue _incoming = new();
    private VethLink? _peer; // null once one end has gone

    private VethLink(LinkBacklog backlog, EthernetAddress address)
        : base(address) => _backlog = backlog;

    /// <inheritdoc/>
    public override string Kind => "veth";

    /// <summary>The other end; null once it has gone.</summary>
    public VethLink? Peer => Volatile.Read(ref _peer);

    /// <inheritdoc/>
    public override bool HasCarrier => Peer?.Interface is { IsUp: true };

    /// <summary>Makes a pair.</summary>
    /// <param name="backlog">Where frames wait that are on their way.</param>
    /// <param name="first">The address of one end.</param>
    /// <param name="second">The address of the other.</param>
    public static (VethLink First, VethLink Second) MakePair(LinkBacklog backlog, EthernetAddress first, EthernetAddress second)
    {
        VethLink one = new(backlog, first);
        VethLink other = new(backlog, second);
        (one._peer, other._peer) = (other, one);
        return (one, other);
    }

    /// <inheritdoc/>
    public override void Attach(ILinkSink sink)
    {
        base.Attach(sink);
        _incoming.Sink = sink;
    }

    /// <inheritdoc/>
    public override void Transmit(Packet packet)
    {
        if (Peer is not { Interface: { } receiver } peer)
        {
            packet.Release();
            return;
        }

        packet.ForgetStack();
        if (packet.Checksum == ChecksumState.Partial)
        {
            packet.Checksum = ChecksumState.Verified; // it has not left the machine
        }

        if (!_backlog.Enqueue(peer._incoming, packet))
        {
            receiver.Statistics.CountReceiveDropped();
        }
    }

    /// <summary>The other end goes as well.</summary>
    public override void Close()
    {
        _backlog.Clear(_incoming);
        if (Interlocked.Exchange(ref _peer, null) is { } peer && Interlocked.Exchange(ref peer._peer, null) is not null && peer.Interface is { } other)
        {
            other.Stack.Delete(other);
        }
    }
}
