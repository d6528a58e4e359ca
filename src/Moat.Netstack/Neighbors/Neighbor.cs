using Moat.Netstack.Packets;
using Moat.Netstack.Timers;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Neighbors;

/// <summary>A host on the link. Guarded by its table's lock.</summary>
public sealed class Neighbor : NetTimer
{
    /// <summary>How many packets wait for an answer; the oldest go first.</summary>
    internal const int MaxPending = 16;

    private readonly NeighborTable _table;

    internal Neighbor(NeighborTable table, IpAddress address)
    {
        _table = table;
        Address = address;
    }

    /// <summary>Its IP address.</summary>
    public IpAddress Address { get; }

    /// <summary>Its link-layer address, as far as the state says that it is known.</summary>
    public EthernetAddress Hardware { get; internal set; }

    /// <summary>What is known of it.</summary>
    public NeighborState State { get; internal set; }

    /// <summary>When it was used last: monotonic nanoseconds.</summary>
    public long UsedNs { get; internal set; }

    /// <summary>Requests sent without an answer.</summary>
    internal int Probes { get; set; }

    /// <summary>Packets that wait for it.</summary>
    internal PacketQueue Pending;

    /// <inheritdoc/>
    protected internal override void OnExpired(long nowNs) => _table.OnExpired(this, nowNs);
}
