using System.Buffers.Binary;
using Moat.Netstack.Wire;

namespace Moat.Fuzz.Targets;

/// <summary>ARP, ICMP, IGMP, NDP, MLD and UDP messages in packets that are right, so that what is changed is the message: a part of the script is one, its operation says of which protocol.</summary>
internal sealed class PayloadsTarget : FuzzTarget
{
    private const int Ethernet = FuzzedHost.Ethernet;
    private const byte Kinds = 7;
    private const byte FromOnLink = 8; // the source has an address of the link only

    private static readonly IpAddress s_peerOnLink = IpAddress.Parse("fe80::1");
    private static readonly IpAddress s_allNodes = IpAddress.Parse("ff02::1");

    private enum Kind
    {
        Arp,
        Icmp,
        Igmp,
        Udp,
        IcmpV6,
        ToGroup,
        UdpV6,
        HopByHop,
    }

    /// <inheritdoc/>
    public override string Name => "payloads";

    /// <inheritdoc/>
    public override IReadOnlyList<byte[]> MakeSeeds()
    {
        using FuzzedHost host = new();
        List<byte[]> seeds = [];
        foreach (byte[] frame in host.Frames)
        {
            FrameChecksums.Write(frame);
            if (KindOf(frame) is { } kind)
            {
                byte[] payload = frame[(Ethernet + (kind == Kind.Arp ? 0 : frame[Ethernet] >> 4 == 4 ? (frame[Ethernet] & 15) * 4 : Ipv6Header.Length))..];
                seeds.Add(Script.Of([((byte)kind, payload)]));
                seeds.Add(Script.Of([((byte)((byte)kind | FromOnLink), payload), (0x50, [])]));
            }
        }

        return seeds;
    }

    /// <inheritdoc/>
    public override void Run(ReadOnlySpan<byte> input)
    {
        using FuzzedHost host = new();
        Script script = new(input);
        while (script.TryNext(out byte operation, out ReadOnlySpan<byte> payload))
        {
            byte[] frame = Frame(host, (Kind)(operation & Kinds), (operation & FromOnLink) != 0, payload);
            FrameChecksums.Write(frame);
            host.Link.Deliver(frame);
            HostScript.Wait(host, operation);
        }

        host.CheckMemory();
    }

    private static Kind? KindOf(byte[] frame) => BinaryPrimitives.ReadUInt16BigEndian(frame.AsSpan(12)) switch
    {
        (ushort)EtherType.Arp => Kind.Arp,
        (ushort)EtherType.Ipv4 => (IpProtocol)frame[Ethernet + 9] switch
        {
            IpProtocol.Icmp => Kind.Icmp,
            IpProtocol.Igmp => Kind.Igmp,
            IpProtocol.Udp => Kind.Udp,
            _ => null,
        },
        (ushort)EtherType.Ipv6 => (IpProtocol)frame[Ethernet + 6] switch
        {
            IpProtocol.IcmpV6 => Kind.IcmpV6,
            IpProtocol.Udp => Kind.UdpV6,
            IpProtocol.HopByHop => Kind.HopByHop,
            _ => null,
        },
        _ => null,
    };

    private static byte[] Frame(FuzzedHost host, Kind kind, bool isOnLink, ReadOnlySpan<byte> payload)
    {
        bool isV6 = kind >= Kind.IcmpV6;
        int header = kind == Kind.Arp ? 0 : isV6 ? Ipv6Header.Length : Ipv4Header.MinLength;
        byte[] frame = host.NewFrame(kind == Kind.Arp ? EtherType.Arp : isV6 ? EtherType.Ipv6 : EtherType.Ipv4, header + payload.Length);
        payload.CopyTo(frame.AsSpan(Ethernet + header));
        if (isV6)
        {
            new Ipv6Header
            {
                PayloadLength = payload.Length,
                NextHeader = kind switch { Kind.UdpV6 => IpProtocol.Udp, Kind.HopByHop => IpProtocol.HopByHop, _ => IpProtocol.IcmpV6 },
                HopLimit = kind == Kind.HopByHop ? (byte)1 : byte.MaxValue,
                Source = isOnLink ? s_peerOnLink : FuzzedHost.PeerV6,
                Destination = kind is Kind.ToGroup or Kind.HopByHop ? s_allNodes : FuzzedHost.AddressV6,
            }.Write(frame.AsSpan(Ethernet));
        }
        else if (header > 0)
        {
            new Ipv4Header
            {
                HeaderLength = header,
                TotalLength = header + payload.Length,
                TimeToLive = kind == Kind.Igmp ? (byte)1 : (byte)64,
                Protocol = kind switch { Kind.Icmp => IpProtocol.Icmp, Kind.Igmp => IpProtocol.Igmp, _ => IpProtocol.Udp },
                Source = FuzzedHost.PeerV4,
                Destination = FuzzedHost.AddressV4,
            }.Write(frame.AsSpan(Ethernet));
        }

        return frame;
    }
}
