using Moat.Netstack.Interfaces;
using Moat.Netstack.Packets;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Neighbors;

/// <summary>Who is on an interface's link: ARP's and neighbour discovery's cache, with the states and times of RFC 4861 section 7.3 for both. Any thread.</summary>
public sealed class NeighborTable(NetworkStack stack, NetworkInterface owner)
{
    /// <summary>How many neighbours are kept (gc_thresh3): a peer that claims more addresses displaces those that were never used, then the ones used longest ago.</summary>
    public const int MaxNeighbors = 1024;

    private const long NeverUsed = 0;
    private const int MaxProbes = 3; // MAX_MULTICAST_SOLICIT, MAX_UNICAST_SOLICIT
    private const long RetransmitNs = 1_000_000_000;
    private const long ReachableNs = 30_000_000_000;
    private const long DelayNs = 5_000_000_000;

    private readonly Lock _lock = new();
    private readonly Dictionary<IpAddress, Neighbor> _neighbors = []; // guarded by _lock

    /// <summary>The neighbours. A snapshot.</summary>
    public IReadOnlyList<Neighbor> List
    {
        get
        {
            lock (_lock)
            {
                return [.. _neighbors.Values];
            }
        }
    }

    /// <summary>Sends an IP packet to a neighbour, now or when its address is known, and releases it.</summary>
    public void Send(Packet packet, IpAddress nextHop)
    {
        if (nextHop.IsMulticast)
        {
            owner.SendFrame(packet, EthernetAddress.ForMulticast(nextHop), TypeOf(nextHop));
            return;
        }

        if (nextHop == IpAddress.BroadcastV4 || IsBroadcast(nextHop))
        {
            owner.SendFrame(packet, EthernetAddress.Broadcast, EtherType.Ipv4);
            return;
        }

        long now = stack.Host.NowNs;
        EthernetAddress hardware;
        bool ask = false;
        lock (_lock)
        {
            Neighbor neighbor = FindOrAddLocked(nextHop, now);
            neighbor.UsedNs = now;
            switch (neighbor.State)
            {
                case NeighborState.Incomplete or NeighborState.Failed:
                    ask = neighbor.State == NeighborState.Failed || neighbor.Probes == 0;
                    QueueLocked(neighbor, packet);
                    if (ask)
                    {
                        neighbor.State = NeighborState.Incomplete;
                        neighbor.Probes = 1;
                        stack.Timers.Set(neighbor, now + RetransmitNs);
                    }

                    hardware = default;
                    break;
                case NeighborState.Stale:
                    neighbor.State = NeighborState.Delay;
                    stack.Timers.Set(neighbor, now + DelayNs);
                    hardware = neighbor.Hardware;
                    break;
                default:
                    hardware = neighbor.Hardware;
                    break;
            }
        }

        if (ask)
        {
            Ask(nextHop, default);
        }

        if (hardware != default)
        {
            owner.SendFrame(packet, hardware, TypeOf(nextHop));
        }
    }

    /// <summary>A message or an upper layer says where a neighbour is.</summary>
    /// <param name="address">Its IP address.</param>
    /// <param name="hardware">Its link-layer address.</param>
    /// <param name="isSolicited">Whether it answers a question of ours, so that it is reachable for certain.</param>
    /// <param name="mayCreate">Whether a neighbour nobody asked for is remembered.</param>
    public void Learn(IpAddress address, EthernetAddress hardware, bool isSolicited, bool mayCreate)
    {
        if (!hardware.IsUnicast || address.IsMulticast || address.IsAny)
        {
            return;
        }

        long now = stack.Host.NowNs;
        PacketQueue pending;
        lock (_lock)
        {
            if (!_neighbors.TryGetValue(address, out Neighbor? neighbor))
            {
                if (!mayCreate)
                {
                    return;
                }

                neighbor = FindOrAddLocked(address, NeverUsed); // whoever makes themselves known by the thousand displaces the like
            }

            if (neighbor.State == NeighborState.Permanent)
            {
                return;
            }

            bool hasMoved = neighbor.Hardware != hardware;
            neighbor.Hardware = hardware;
            if (isSolicited)
            {
                neighbor.State = NeighborState.Reachable;
                neighbor.Probes = 0;
                stack.Timers.Set(neighbor, now + ReachableNs);
            }
            else if (hasMoved || neighbor.State is NeighborState.Incomplete or NeighborState.Failed)
            {
                neighbor.State = NeighborState.Stale;
                neighbor.Probes = 0;
                stack.Timers.Clear(neighbor);
            }

            pending = neighbor.Pending;
            neighbor.Pending = default;
        }

        while (pending.Dequeue() is { } packet)
        {
            owner.SendFrame(packet, hardware, TypeOf(address));
        }
    }

    /// <summary>A transport heard from a neighbour's host: it need not be checked (RFC 4861 section 7.3.1).</summary>
    public void Confirm(IpAddress address)
    {
        lock (_lock)
        {
            if (_neighbors.TryGetValue(address, out Neighbor? neighbor) && neighbor.State is NeighborState.Delay or NeighborState.Probe or NeighborState.Stale)
            {
                neighbor!.State = NeighborState.Reachable;
                neighbor.Probes = 0;
                stack.Timers.Set(neighbor, stack.Host.NowNs + ReachableNs);
            }
        }
    }

    /// <summary>An administrator sets a neighbour.</summary>
    public void SetPermanent(IpAddress address, EthernetAddress hardware)
    {
        Learn(address, hardware, isSolicited: true, mayCreate: true);
        lock (_lock)
        {
            if (_neighbors.TryGetValue(address, out Neighbor? neighbor))
            {
                neighbor.State = NeighborState.Permanent;
                stack.Timers.Clear(neighbor);
            }
        }
    }

    /// <summary>Forgets a neighbour.</summary>
    /// <returns>NotFound.</returns>
    public NetError Remove(IpAddress address)
    {
        lock (_lock)
        {
            if (!_neighbors.Remove(address, out Neighbor? neighbor))
            {
                return NetError.NotFound;
            }

            stack.Timers.Clear(neighbor);
            neighbor.Pending.Clear();
            return NetError.None;
        }
    }

    /// <summary>Forgets all neighbours.</summary>
    internal void Clear()
    {
        lock (_lock)
        {
            foreach (Neighbor neighbor in _neighbors.Values)
            {
                stack.Timers.Clear(neighbor);
                neighbor.Pending.Clear();
            }

            _neighbors.Clear();
        }
    }

    /// <summary>Takes an ARP message (RFC 826): answers what is asked of an own address, learns from what is sent to it.</summary>
    internal void ReceiveArp(Packet packet)
    {
        bool isArp = ArpPacket.TryParse(packet.Linear, out ArpPacket arp);
        packet.Release();
        if (!isArp)
        {
            owner.Statistics.CountReceiveError();
            return;
        }

        bool isForUs = stack.HasAddress(arp.TargetProtocol); // of any interface: as Linux with arp_ignore 0
        bool isReply = arp.Operation == ArpPacket.Reply;
        Learn(arp.SenderProtocol, arp.SenderHardware, isSolicited: isReply && isForUs, mayCreate: isForUs && !isReply);
        if (isForUs && !isReply)
        {
            SendArp(new ArpPacket(ArpPacket.Reply, owner.Link.Address, arp.TargetProtocol, arp.SenderHardware, arp.SenderProtocol), arp.SenderHardware);
        }
    }

    internal void OnExpired(Neighbor neighbor, long nowNs)
    {
        EthernetAddress to = default;
        PacketQueue lost = default;
        lock (_lock)
        {
            if (!_neighbors.TryGetValue(neighbor.Address, out Neighbor? current) || current != neighbor)
            {
                return;
            }

            switch (neighbor.State)
            {
                case NeighborState.Reachable:
                    neighbor.State = NeighborState.Stale;
                    return;
                case NeighborState.Delay:
                    neighbor.State = NeighborState.Probe;
                    neighbor.Probes = 0;
                    break;
                case NeighborState.Incomplete or NeighborState.Probe:
                    break;
                default:
                    return;
            }

            if (neighbor.Probes++ >= MaxProbes)
            {
                neighbor.State = NeighborState.Failed;
                neighbor.Probes = 0;
                lost = neighbor.Pending;
                neighbor.Pending = default;
            }
            else
            {
                to = neighbor.State == NeighborState.Probe ? neighbor.Hardware : default;
                stack.Timers.Set(neighbor, nowNs + RetransmitNs);
            }
        }

        if (neighbor.State == NeighborState.Failed)
        {
            while (lost.Dequeue() is { } packet)
            {
                stack.Errors.OnUnreachableNeighbor(packet);
            }

            return;
        }

        Ask(neighbor.Address, to);
    }

    private static EtherType TypeOf(IpAddress address) => address.IsV4 ? EtherType.Ipv4 : EtherType.Ipv6;

    private static void QueueLocked(Neighbor neighbor, Packet packet)
    {
        if (neighbor.Pending.Count >= Neighbor.MaxPending)
        {
            neighbor.Pending.Dequeue()?.Release();
        }

        neighbor.Pending.Enqueue(packet);
    }

    private Neighbor FindOrAddLocked(IpAddress address, long usedNs)
    {
        if (_neighbors.TryGetValue(address, out Neighbor? neighbor))
        {
            return neighbor;
        }

        if (_neighbors.Count >= MaxNeighbors)
        {
            EvictLocked();
        }

        neighbor = new Neighbor(this, address) { State = NeighborState.Incomplete, UsedNs = usedNs };
        _neighbors.Add(address, neighbor);
        return neighbor;
    }

    private void EvictLocked()
    {
        Neighbor? oldest = null;
        foreach (Neighbor candidate in _neighbors.Values)
        {
            if (candidate.State != NeighborState.Permanent && (oldest is null || candidate.UsedNs < oldest.UsedNs))
            {
                oldest = candidate;
            }
        }

        if (oldest is not null)
        {
            stack.Timers.Remove(oldest);
            oldest.Pending.Clear();
            _ = _neighbors.Remove(oldest.Address);
        }
    }

    private bool IsBroadcast(IpAddress address)
    {
        foreach (InterfaceAddress own in owner.Addresses)
        {
            if (own.Broadcast == address)
            {
                return true;
            }
        }

        return false;
    }

    // Asks everybody, or one host whether it is still there.
    private void Ask(IpAddress address, EthernetAddress to)
    {
        if (!address.IsV4)
        {
            stack.NeighborDiscovery.Solicit(owner, address, to);
            return;
        }

        if (owner.SelectSource(address) is { } source)
        {
            SendArp(new ArpPacket(ArpPacket.Request, owner.Link.Address, source, to, address), to == default ? EthernetAddress.Broadcast : to);
        }
    }

    private void SendArp(ArpPacket arp, EthernetAddress to)
    {
        Packet packet = stack.Pool.Rent(ArpPacket.Length);
        arp.Write(packet.Append(ArpPacket.Length));
        owner.SendFrame(packet, to, EtherType.Arp);
    }
}
