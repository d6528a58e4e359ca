using Moat.Netstack.Ip;
using Moat.Netstack.Packets;
using Moat.Netstack.Routing;
using Moat.Netstack.Sockets;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Udp;

/// <summary>UDP (RFC 768), or UDP-Lite (RFC 3828): finds the sockets that a datagram is for.</summary>
public sealed class UdpLayer : ITransport
{
    private readonly Lock _lock = new();
    private readonly Dictionary<ushort, UdpSocket[]> _byPort = []; // guarded by _lock; the arrays are replaced, not changed
    private long _received;
    private long _sent;
    private long _bad;
    private long _unwanted;

    internal UdpLayer(NetworkStack stack, IpProtocol protocol)
    {
        Stack = stack;
        Protocol = protocol;
        Ports = new PortAllocator(stack.Host);
        stack.Register(protocol, this);
    }

    /// <summary>The stack it is in.</summary>
    public NetworkStack Stack { get; }

    /// <summary>Which of the two it is.</summary>
    public IpProtocol Protocol { get; }

    /// <summary>Whether it is UDP-Lite: the length in the header says what the checksum covers.</summary>
    public bool IsLite => Protocol == IpProtocol.UdpLite;

    /// <summary>Bound ports.</summary>
    public PortAllocator Ports { get; }

    /// <summary>Datagrams given to a socket (Udp: InDatagrams).</summary>
    public long Received => Volatile.Read(ref _received);

    /// <summary>Datagrams sent (Udp: OutDatagrams).</summary>
    public long Sent => Volatile.Read(ref _sent);

    /// <summary>Datagrams that were malformed (Udp: InErrors).</summary>
    public long Bad => Volatile.Read(ref _bad);

    /// <summary>Datagrams that nobody listened for (Udp: NoPorts).</summary>
    public long Unwanted => Volatile.Read(ref _unwanted);

    /// <summary>Who answers datagrams to one of this machine's endpoints instead of a socket, or null. Set before there is traffic.</summary>
    public IDatagramRelay? Relay { get; set; }

    /// <inheritdoc/>
    public void Receive(Packet packet, in IpInfo info)
    {
        if (!TryParse(packet, out UdpHeader header, out int coverage) || !IsIntact(packet, info, header, coverage))
        {
            Interlocked.Increment(ref _bad);
            packet.Release();
            return;
        }

        bool lacksChecksum = header.Checksum == 0 && packet.Checksum != ChecksumState.Verified && !info.Source.IsV4;
        packet.Truncate(header.DatagramLength);
        IpEndpoint source = new(info.Source, header.SourcePort);
        IpEndpoint destination = new(info.Destination, header.DestinationPort);
        UdpSocket[] candidates;
        lock (_lock)
        {
            candidates = _byPort.GetValueOrDefault(header.DestinationPort, []);
        }

        if (info.Kind != RouteKind.Local)
        {
            if (lacksChecksum)
            {
                Interlocked.Increment(ref _bad);
                packet.Release();
                return;
            }

            DeliverToAll(candidates, packet, info, source, destination);
            return;
        }

        if (Relay is { } relay && relay.Endpoint == destination && info.Interface.IsLoopback && TryRelay(relay, packet, source))
        {
            return;
        }

        if (FindBest(candidates, source, destination, info.Interface.Index) is not { } socket)
        {
            Interlocked.Increment(ref _unwanted);
            Stack.Errors.SendUnreachable(packet, info, UnreachableReason.Port);
            return;
        }

        Interlocked.Increment(ref _received);
        if ((coverage < header.DatagramLength && coverage < socket.ReceiveCoverage) || (lacksChecksum && !socket.TakesNoChecksum))
        {
            Interlocked.Increment(ref _bad);
            packet.Release();
            return;
        }

        packet.Pull(UdpHeader.Length);
        socket.Deliver(packet, info, header.SourcePort);
    }

    /// <inheritdoc/>
    public void ReceiveError(in IpError error, ReadOnlySpan<byte> header)
    {
        if (header.Length < UdpHeader.Length)
        {
            return;
        }

        ushort sourcePort = System.Buffers.Binary.BinaryPrimitives.ReadUInt16BigEndian(header);
        ushort destinationPort = System.Buffers.Binary.BinaryPrimitives.ReadUInt16BigEndian(header[2..]);
        UdpSocket[] candidates;
        lock (_lock)
        {
            candidates = _byPort.GetValueOrDefault(sourcePort, []);
        }

        IpEndpoint remote = new(error.Remote, destinationPort);
        if (FindBest(candidates, remote, new IpEndpoint(error.Local, sourcePort), 0) is not { } socket)
        {
            return;
        }

        if (error.Mtu > 0)
        {
            Stack.Paths.Learn(error.Remote, error.Mtu);
        }

        socket.OnError(error, remote, header[UdpHeader.Length..]);
    }

    /// <summary>Sends a datagram to a socket of this machine in the name of another endpoint of it: the answer of a <see cref="Relay"/>. The caller holds no lock.</summary>
    public void Answer(IpEndpoint from, IpEndpoint to, ReadOnlySpan<byte> payload)
    {
        if (Stack.Decide(to.Address, from.Address, 0, out RouteDecision route) != NetError.None || !route.Interface.IsLoopback)
        {
            return; // the address has gone meanwhile
        }

        Packet packet = Stack.Pool.Rent(payload.Length);
        payload.CopyTo(packet.Append(payload.Length));
        new UdpHeader(from.Port, to.Port, (ushort)(UdpHeader.Length + payload.Length), 0).Write(packet.Push(UdpHeader.Length));
        packet.Checksum = ChecksumState.Verified;
        IpParameters parameters = new() { Source = from.Address, Destination = to.Address, Protocol = Protocol, TimeToLive = 64 };
        _ = Stack.Output.Send(packet, parameters, route);
        Stack.Flush();
    }

    internal void CountSent() => Interlocked.Increment(ref _sent);

    internal void Add(UdpSocket socket, ushort port)
    {
        lock (_lock)
        {
            _byPort[port] = [.. _byPort.GetValueOrDefault(port, []), socket];
        }
    }

    internal void Remove(UdpSocket socket, ushort port)
    {
        lock (_lock)
        {
            UdpSocket[] left = Array.FindAll(_byPort.GetValueOrDefault(port, []), other => other != socket);
            if (left.Length == 0)
            {
                _ = _byPort.Remove(port);
            }
            else
            {
                _byPort[port] = left;
            }
        }
    }

    private static bool TryRelay(IDatagramRelay relay, Packet packet, IpEndpoint source)
    {
        packet.Pull(UdpHeader.Length);
        if (relay.TryTake(packet, source))
        {
            packet.Release();
            return true;
        }

        _ = packet.Push(UdpHeader.Length);
        return false;
    }

    private bool TryParse(Packet packet, out UdpHeader header, out int coverage)
    {
        if (IsLite)
        {
            return UdpHeader.TryParseLite(packet.Linear, packet.Length, out header, out coverage);
        }

        bool isWhole = UdpHeader.TryParse(packet.Linear, packet.Length, out header);
        coverage = header.DatagramLength;
        return isWhole;
    }

    private bool IsIntact(Packet packet, in IpInfo info, in UdpHeader header, int coverage)
    {
        if (packet.Checksum == ChecksumState.Verified)
        {
            return true;
        }

        if (header.Checksum == 0)
        {
            return !IsLite; // IPv6 demands one as well (RFC 8200 section 8.1), unless the socket does not (RFC 6936)
        }

        packet.Truncate(header.DatagramLength);
        InternetChecksum checksum = InternetChecksum.OfPseudoHeader(info.Source, info.Destination, Protocol, header.DatagramLength);
        if (coverage < packet.Length)
        {
            Packet covered = packet.Share();
            covered.Truncate(coverage);
            covered.AddTo(ref checksum, 0);
            covered.Release();
        }
        else
        {
            packet.AddTo(ref checksum, 0);
        }

        return checksum.Value == 0;
    }

    private static UdpSocket? FindBest(UdpSocket[] candidates, IpEndpoint source, IpEndpoint destination, int interfaceIndex)
    {
        UdpSocket? best = null;
        int bestScore = -1;
        int same = 0;
        foreach (UdpSocket candidate in candidates)
        {
            int score = candidate.Score(source, destination, interfaceIndex);
            if (score > bestScore)
            {
                (best, bestScore, same) = (candidate, score, 1);
            }
            else if (score == bestScore && score >= 0 && candidate.ReusesPort)
            {
                // Of several that share the port the flow's hash chooses (SO_REUSEPORT).
                same++;
                best = (uint)HashCode.Combine(source, destination) % (uint)same == 0 ? candidate : best;
            }
        }

        return best;
    }

    private void DeliverToAll(UdpSocket[] candidates, Packet packet, in IpInfo info, IpEndpoint source, IpEndpoint destination)
    {
        packet.Pull(UdpHeader.Length);
        foreach (UdpSocket candidate in candidates)
        {
            if (candidate.Score(source, destination, info.Interface.Index) >= 0 && candidate.Wants(info))
            {
                Interlocked.Increment(ref _received);
                candidate.Deliver(packet.Share(), info, source.Port);
            }
        }

        packet.Release();
    }
}
