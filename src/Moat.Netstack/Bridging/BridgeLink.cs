using Moat.Netstack.Interfaces;
using Moat.Netstack.Link;
using Moat.Netstack.Packets;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Bridging;

/// <summary>A learning bridge (IEEE 802.1D section 7), and the link of the interface that its own stack has at it. There is no spanning tree: frames that go in circles end with the hops of <see cref="LinkBacklog"/>.</summary>
/// <param name="host">The time.</param>
/// <param name="address">Its address while it has no ports and nobody has said another.</param>
public sealed class BridgeLink(INetHost host, EthernetAddress address) : VirtualLink(address)
{
    /// <summary>BR_MAX_PORTS.</summary>
    public const int MaxPorts = 1024;

    private const ulong ReservedGroups = 0x0180_c200_0000; // 01:80:c2:00:00:0x: not passed on, but for spanning tree's where there is none

    private readonly ForwardingTable _table = new();
    private readonly Lock _lock = new();
    private BridgePort[] _ports = []; // replaced under _lock
    private bool _hasOwnAddress; // under the lock of whoever configures
    private bool _hasOwnMtu; // as above

    /// <inheritdoc/>
    public override string Kind => "bridge";

    /// <inheritdoc/>
    public override bool MayMove => false; // its ports would stay

    /// <summary>Its ports. A snapshot.</summary>
    public IReadOnlyList<BridgePort> Ports => Volatile.Read(ref _ports);

    /// <summary>How long an address is believed without being seen, in nanoseconds.</summary>
    public long AgeingNs
    {
        get => _table.AgeingNs;
        set => _table.AgeingNs = value;
    }

    /// <inheritdoc/>
    public override bool HasCarrier
    {
        get
        {
            foreach (BridgePort port in Volatile.Read(ref _ports))
            {
                if (port.Interface.IsRunning)
                {
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>The addresses that it has seen, behind which port, and how long ago. A snapshot.</summary>
    public IReadOnlyList<(EthernetAddress Address, BridgePort Port, long AgeNs)> Learned => _table.List(host.NowNs);

    /// <summary>Makes an interface of the same stack a port.</summary>
    /// <returns>AddressInUse if it is one already; Invalid for what has no frames of Ethernet, loopback or a bridge; NoBufferSpace.</returns>
    public NetError Add(NetworkInterface added)
    {
        if (!added.HasEthernet || added.IsLoopback || added.Link is BridgeLink)
        {
            return NetError.Invalid;
        }

        lock (_lock)
        {
            if (added.Port is not null)
            {
                return NetError.AddressInUse;
            }

            if (_ports.Length >= MaxPorts)
            {
                return NetError.NoBufferSpace;
            }

            int number = 1;
            while (Array.Exists(_ports, port => port.Number == number))
            {
                number++;
            }

            added.Port = new BridgePort(this, added, number);
            Volatile.Write(ref _ports, [.. _ports, added.Port]);
        }

        Adapt();
        return NetError.None;
    }

    /// <summary>Makes a port an interface like others again.</summary>
    public void Remove(BridgePort port)
    {
        lock (_lock)
        {
            port.Interface.Port = null;
            Volatile.Write(ref _ports, Array.FindAll(_ports, other => other != port));
        }

        _table.Forget(port);
        Adapt();
    }

    /// <summary>Somebody says the MTU: ports have no influence on it from now on.</summary>
    public void KeepMtu() => _hasOwnMtu = true;

    /// <inheritdoc/>
    public override bool TrySetAddress(EthernetAddress address)
    {
        _hasOwnAddress = true;
        return base.TrySetAddress(address);
    }

    /// <summary>A frame that the bridge's own stack sends.</summary>
    public override void Transmit(Packet packet)
    {
        if (packet.LinearLength < EthernetHeader.Length)
        {
            packet.Release(); // what a packet socket made
            return;
        }

        EthernetAddress destination = EthernetAddress.FromBytes(packet.Linear);
        if (!destination.IsGroup && _table.Find(destination, host.NowNs) is { } port)
        {
            port.Interface.SendBridged(packet);
            return;
        }

        Flood(packet, null, destination.IsGroup);
    }

    /// <inheritdoc/>
    public override void Close()
    {
        foreach (BridgePort port in Volatile.Read(ref _ports))
        {
            Remove(port);
        }
    }

    /// <summary>A frame that came in through a port.</summary>
    internal void Receive(Packet packet, BridgePort from)
    {
        if (!EthernetHeader.TryParse(packet.Linear, out EthernetHeader header) || header.Source.IsGroup || Interface is not { IsUp: true } own)
        {
            from.Interface.Statistics.CountReceiveDropped();
            packet.Release();
            return;
        }

        if ((header.Destination.Value & ~0xfUL) == ReservedGroups && header.Destination.Value != ReservedGroups)
        {
            from.Interface.Accept(packet); // for whoever is on this link alone
            return;
        }

        long now = host.NowNs;
        if (from.Learns)
        {
            _table.Learn(header.Source, from, now);
        }

        if (header.Destination.IsGroup)
        {
            Packet copy = packet.Share();
            Flood(packet, from, isGroup: true);
            own.Deliver(copy);
        }
        else if (IsOwn(header.Destination))
        {
            own.Deliver(packet);
        }
        else if (_table.Find(header.Destination, now) is not { } to)
        {
            Flood(packet, from, isGroup: false);
        }
        else if (MayPass(from, to))
        {
            to.Interface.SendBridged(packet);
        }
        else
        {
            packet.Release();
        }
    }

    private static bool MayPass(BridgePort? from, BridgePort to) => from is null || ((from != to || to.IsHairpin) && !(from.IsIsolated && to.IsIsolated));

    private void Flood(Packet packet, BridgePort? from, bool isGroup)
    {
        BridgePort? last = null;
        foreach (BridgePort port in Volatile.Read(ref _ports))
        {
            if (!MayPass(from, port) || (!isGroup && !port.Floods) || !port.Interface.IsUp)
            {
                continue;
            }

            last?.Interface.SendBridged(packet.Share());
            last = port;
        }

        if (last is not null)
        {
            last.Interface.SendBridged(packet);
        }
        else
        {
            packet.Release();
        }
    }

    // A port's address is the bridge's too.
    private bool IsOwn(EthernetAddress address)
    {
        if (address == Address)
        {
            return true;
        }

        foreach (BridgePort port in Volatile.Read(ref _ports))
        {
            if (port.Interface.Link.Address == address)
            {
                return true;
            }
        }

        return false;
    }

    // Unless somebody has said otherwise it has the lowest address of its ports, and the lowest MTU.
    private void Adapt()
    {
        BridgePort[] ports = Volatile.Read(ref _ports);
        EthernetAddress lowest = default;
        int mtu = MaxMtu;
        foreach (BridgePort port in ports)
        {
            lowest = lowest == default || port.Interface.Link.Address.Value < lowest.Value ? port.Interface.Link.Address : lowest;
            mtu = Math.Min(mtu, port.Interface.Mtu);
        }

        if (!_hasOwnAddress && lowest != default)
        {
            _ = base.TrySetAddress(lowest);
        }

        if (!_hasOwnMtu && ports.Length > 0 && Interface is { } own)
        {
            own.Mtu = mtu;
        }
    }
}
