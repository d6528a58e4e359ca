using Moat.Netstack.Interfaces;
using Moat.Netstack.Sockets;
using Moat.Netstack.Tcp;
using Moat.Netstack.Tests.Simulation;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Tests.Floods;

/// <summary>Somebody on the link of a host that talks to another: frames of theirs arrive between those of a transfer, which has to come through.</summary>
internal sealed class Attack : IDisposable
{
    /// <summary>The host's address of IPv6.</summary>
    public static readonly IpAddress RightV6 = IpAddress.Parse("2001:db8::2");

    private const long Second = 1_000_000_000;
    private SequenceNumber _lastAcknowledgment; // what the attacked host expects next of its peer
    private const int TransferLength = 400_000;
    private const int Ethernet = EthernetHeader.Length;

    private static readonly IpAddress s_leftV6 = IpAddress.Parse("2001:db8::1");
    private static readonly EthernetAddress s_attacker = new(0x0200_0000_0666);

    private readonly Dictionary<IpEndpoint, SequenceNumber> _sent = [];

    /// <summary>Two hosts, and nobody else yet.</summary>
    /// <param name="trace">Who sees what the two say.</param>
    /// <param name="memory">What the attacked host may hold.</param>
    public Attack(PacketTrace? trace = null, SocketMemory? memory = null)
    {
        Pair = new ConnectedPair(trace: trace, rightMemory: memory);
        Pair.RightLink.Drops = See;
        Assert.Equal(NetError.None, Pair.Left.AddAddress(Pair.Left.Interfaces[1], new InterfaceAddress(s_leftV6, 64, null)));
        Assert.Equal(NetError.None, Pair.Right.AddAddress(Victim, new InterfaceAddress(RightV6, 64, null)));
        Assert.Equal(NetError.None, Pair.Right.Routes.Add(new Routing.Route(IpAddress.AnyV4, 0, Victim.Index) { Gateway = ConnectedPair.LeftAddress }));
        Pair.Wait(2000);
    }

    /// <summary>The hosts: the right one is attacked.</summary>
    public ConnectedPair Pair { get; }

    /// <summary>The attacked stack.</summary>
    public NetworkStack Stack => Pair.Right;

    /// <summary>Its interface.</summary>
    public NetworkInterface Victim => Pair.Right.Interfaces[1];

    /// <summary>Told of each frame that the attacked host sends.</summary>
    public Action<byte[]>? OnSent { get; set; }

    /// <summary>How many frames the attacked host has sent.</summary>
    public int SentCount { get; private set; }

    /// <summary>Behind what the attacked host has sent to its peer.</summary>
    public SequenceNumber LastSentEnd { get; private set; }

    /// <summary>The timestamp of its peer that the attacked host has echoed last.</summary>
    public uint LastEcho { get; private set; }

    /// <summary>The most that the attacked host has held during <see cref="Run"/>.</summary>
    public long MostHeld { get; private set; }

    /// <summary>Sends bytes through the connection and back, with strikes between, and compares them.</summary>
    /// <param name="strike">Delivers something; it gets the number of the strike.</param>
    /// <param name="strikes">How many.</param>
    /// <param name="perStep">How many at once.</param>
    public void Run(Action<int> strike, int strikes, int perStep)
    {
        int done = 0;
        void Strike()
        {
            for (int i = 0; i < perStep && done < strikes; i++)
            {
                strike(done++);
            }

            MostHeld = Math.Max(MostHeld, Stack.Memory.HeldBytes);
        }

        Carry(Pair.Client, Pair.Accepted, Strike);
        Carry(Pair.Accepted, Pair.Client, Strike);
        Assert.True(Pair.Network.RunUntil(
            () =>
            {
                Strike();
                return done == strikes;
            },
            600 * Second));
        Carry(Pair.Client, Pair.Accepted, static () => { });
    }

    /// <summary>Behind the last segment that the attacked host has sent to somebody.</summary>
    public bool TryFindSent(IpEndpoint to, out SequenceNumber end) => _sent.TryGetValue(to, out end);

    /// <summary>Puts a frame before the attacked host.</summary>
    public void Deliver(byte[] frame) => Pair.RightLink.Deliver(frame);

    /// <summary>A frame to the attacked host that is not its peer's.</summary>
    public byte[] NewFrame(EtherType type, int payloadLength)
    {
        byte[] frame = new byte[Ethernet + payloadLength];
        new EthernetHeader(Pair.RightLink.Address, s_attacker, type).Write(frame);
        return frame;
    }

    /// <summary>A packet of IPv4 in a frame.</summary>
    public byte[] PacketV4(IpAddress source, IpProtocol protocol, ReadOnlySpan<byte> payload, ushort identification = 0, int offset = 0, bool more = false)
    {
        byte[] frame = NewFrame(EtherType.Ipv4, Ipv4Header.MinLength + payload.Length);
        new Ipv4Header
        {
            HeaderLength = Ipv4Header.MinLength,
            TotalLength = Ipv4Header.MinLength + payload.Length,
            Identification = identification,
            FragmentOffset = offset,
            MoreFragments = more,
            TimeToLive = 64,
            Protocol = protocol,
            Source = source,
            Destination = ConnectedPair.RightAddress,
        }.Write(frame.AsSpan(Ethernet));
        payload.CopyTo(frame.AsSpan(Ethernet + Ipv4Header.MinLength));
        return frame;
    }

    /// <summary>Has the peer send some bytes, so that both sides are in the middle of a conversation.</summary>
    /// <returns>What the attacked host expects next of its peer.</returns>
    public SequenceNumber AfterSending(int bytes, int waitMs)
    {
        Pair.Client.Send(new byte[bytes], out _);
        Pair.Wait(waitMs);
        return _lastAcknowledgment;
    }

    /// <summary>A packet of IPv6 in a frame.</summary>
    public byte[] PacketV6(IpAddress source, IpProtocol next, ReadOnlySpan<byte> payload)
    {
        byte[] frame = NewFrame(EtherType.Ipv6, Ipv6Header.Length + payload.Length);
        new Ipv6Header { PayloadLength = payload.Length, NextHeader = next, HopLimit = byte.MaxValue, Source = source, Destination = RightV6 }.Write(frame.AsSpan(Ethernet));
        payload.CopyTo(frame.AsSpan(Ethernet + Ipv6Header.Length));
        return frame;
    }

    /// <summary>A segment to the attacked host in a frame.</summary>
    public byte[] Segment(IpEndpoint source, ushort port, TcpFlags flags, SequenceNumber sequence, SequenceNumber acknowledgment = default, int window = ushort.MaxValue, int payloadLength = 0, byte[]? options = null)
    {
        int header = TcpHeader.MinLength + (options?.Length ?? 0);
        byte[] segment = new byte[header + payloadLength];
        options?.CopyTo(segment, TcpHeader.MinLength);
        new TcpHeader
        {
            SourcePort = source.Port,
            DestinationPort = port,
            Flags = flags,
            Sequence = sequence,
            Acknowledgment = acknowledgment,
            Window = (ushort)window,
            HeaderLength = header,
        }.Write(segment);
        InternetChecksum checksum = InternetChecksum.OfPseudoHeader(source.Address, ConnectedPair.RightAddress, IpProtocol.Tcp, segment.Length);
        checksum.Add(segment);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt16BigEndian(segment.AsSpan(TcpHeader.ChecksumOffset), checksum.Value);
        return PacketV4(source.Address, IpProtocol.Tcp, segment);
    }

    /// <inheritdoc/>
    public void Dispose() => Pair.Dispose();

    private void Carry(TcpSocket from, TcpSocket to, Action between)
    {
        byte[] data = new byte[TransferLength];
        new Random(TransferLength).NextBytes(data);
        byte[] got = new byte[TransferLength];
        int sent = 0;
        int received = 0;
        bool isWhole = Pair.Network.RunUntil(
            () =>
            {
                between();
                sent += (int)from.Send(data.AsSpan(sent), out _);
                received += (int)to.Receive(got.AsSpan(received), out _);
                return received == TransferLength;
            },
            600 * Second);
        Assert.True(isWhole, $"{sent} sent, {received} received of {TransferLength}; {from.State}, {to.State}");
        Assert.True(data.AsSpan().SequenceEqual(got));
    }

    private bool See(byte[] frame)
    {
        SentCount++;
        OnSent?.Invoke(frame);
        ReadOnlySpan<byte> packet = frame.AsSpan(Ethernet);
        if (Ipv4Header.TryParse(packet, out Ipv4Header ip) && ip.Protocol == IpProtocol.Tcp && TcpHeader.TryParse(packet[ip.HeaderLength..ip.TotalLength], out TcpHeader tcp))
        {
            int length = ip.TotalLength - ip.HeaderLength - tcp.HeaderLength + ((tcp.Flags & TcpFlags.SYN) != 0 ? 1 : 0) + ((tcp.Flags & TcpFlags.FIN) != 0 ? 1 : 0);
            _sent[new IpEndpoint(ip.Destination, tcp.DestinationPort)] = tcp.Sequence + length;
            if (ip.Destination == ConnectedPair.LeftAddress)
            {
                TcpOptions options = TcpOptions.Parse(packet[(ip.HeaderLength + TcpHeader.MinLength)..(ip.HeaderLength + tcp.HeaderLength)], isSyn: false);
                (_lastAcknowledgment, LastSentEnd, LastEcho) = (tcp.Acknowledgment, tcp.Sequence + length, options.HasTimestamps ? options.TimestampEcho : LastEcho);
            }
        }

        return false;
    }
}
