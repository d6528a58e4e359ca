using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Tests.Simulation;

/// <summary>What is not TCP on a wire, a line for each frame as it is sent, in the manner of tcpdump(1): milliseconds since the first one, direction (<c>&gt;</c> from the left), what it is. Packets of the same identification have the same number.</summary>
internal sealed class LinkTrace
{
    private readonly StringBuilder _text = new();
    private readonly List<uint> _identifications = [];
    private readonly SimulatedNetwork _network;
    private long _startNs = -1;

    /// <summary>Sees what passes between two ends.</summary>
    public LinkTrace(SimulatedNetwork network, SimulatedLink left, SimulatedLink right)
    {
        _network = network;
        left.Drops = frame => Add('>', frame);
        right.Drops = frame => Add('<', frame);
    }

    /// <summary>The lines so far.</summary>
    public string Text => _text.ToString();

    /// <summary>Frames that are lost, and why the line says so.</summary>
    public Func<byte[], bool> Loses { get; set; } = static _ => false;

    /// <summary>Forgets the lines, not the time.</summary>
    public void Clear() => _text.Clear();

    /// <summary>A remark.</summary>
    public void Say(string remark) => _text.Append("# ").Append(remark).Append('\n');

    private bool Add(char direction, byte[] frame)
    {
        _startNs = _startNs < 0 ? _network.NowNs : _startNs;
        bool isLost = Loses(frame);
        _text.Append(CultureInfo.InvariantCulture, $"{(_network.NowNs - _startNs) / 1e6,8:0.0} {direction} {EthernetAddress.FromBytes(frame)} {Describe(frame)}{(isLost ? " lost" : "")}\n");
        return isLost;
    }

    private string Describe(ReadOnlySpan<byte> frame)
    {
        Assert.True(EthernetHeader.TryParse(frame, out EthernetHeader ethernet));
        ReadOnlySpan<byte> packet = frame[EthernetHeader.Length..];
        if (ethernet.Type == EtherType.Arp)
        {
            Assert.True(ArpPacket.TryParse(packet, out ArpPacket arp));
            return arp.Operation == ArpPacket.Request ? $"arp who-has {arp.TargetProtocol} tell {arp.SenderProtocol}" : $"arp {arp.SenderProtocol} is-at {arp.SenderHardware}";
        }

        if (Ipv4Header.TryParse(packet, out Ipv4Header v4))
        {
            ReadOnlySpan<byte> payload = packet[v4.HeaderLength..v4.TotalLength];
            string options = v4.HeaderLength > Ipv4Header.MinLength ? $" options {Convert.ToHexStringLower(packet[Ipv4Header.MinLength..v4.HeaderLength])}" : "";
            string head = $"{v4.Source} > {v4.Destination} ttl {v4.TimeToLive}{options}";
            return v4.IsFragment ? $"{head} {Fragment(v4.Identification, v4.FragmentOffset, payload.Length, v4.MoreFragments)}" : $"{head} {Transport(v4.Protocol, payload)}";
        }

        Assert.True(Ipv6Header.TryParse(packet, out Ipv6Header v6));
        ReadOnlySpan<byte> rest = packet.Slice(Ipv6Header.Length, v6.PayloadLength);
        string start = $"{v6.Source} > {v6.Destination} hops {v6.HopLimit}";
        if (v6.NextHeader == IpProtocol.Fragment)
        {
            Assert.True(Ipv6Fragment.TryParse(rest, out Ipv6Fragment fragment));
            return $"{start} {Fragment(fragment.Identification, fragment.Offset, rest.Length - Ipv6Fragment.Length, fragment.MoreFragments)}";
        }

        if (v6.NextHeader == IpProtocol.HopByHop)
        {
            int length = 8 * (rest[1] + 1);
            return $"{start} hop-by-hop {Convert.ToHexStringLower(rest[2..length])} {Transport((IpProtocol)rest[0], rest[length..])}";
        }

        return $"{start} {Transport(v6.NextHeader, rest)}";
    }

    private string Fragment(uint identification, int offset, int length, bool more)
    {
        if (!_identifications.Contains(identification))
        {
            _identifications.Add(identification);
        }

        return $"fragment #{_identifications.IndexOf(identification) + 1} {offset}:{offset + length}{(more ? "+" : "")}";
    }

    private static string Transport(IpProtocol protocol, ReadOnlySpan<byte> payload) => protocol switch
    {
        IpProtocol.Udp => $"udp {BinaryPrimitives.ReadUInt16BigEndian(payload[2..])} ({payload.Length - UdpHeader.Length})",
        IpProtocol.Igmp => Igmp(payload),
        IpProtocol.IcmpV6 => IcmpV6(payload),
        IpProtocol.Icmp => $"icmp type {payload[0]} code {payload[1]} rest {BinaryPrimitives.ReadUInt32BigEndian(payload[4..])}",
        _ => $"{protocol} ({payload.Length})",
    };

    private static string Igmp(ReadOnlySpan<byte> message)
    {
        if (message[0] != 0x22)
        {
            return $"igmp type {message[0]:x2} {IpAddress.FromBytes(message[4..8])}";
        }

        return $"igmp v3 report{Records(message, 4)}";
    }

    private static string IcmpV6(ReadOnlySpan<byte> message) => message[0] switch
    {
        135 => $"who-has {IpAddress.FromBytes(message[8..24])}{LinkAddress(message[24..])}",
        136 => $"{IpAddress.FromBytes(message[8..24])} is-here flags {message[4] >> 5:x}{LinkAddress(message[24..])}",
        143 => $"mld v2 report{Records(message, 16)}",
        _ => $"icmp6 type {message[0]} code {message[1]}",
    };

    private static string LinkAddress(ReadOnlySpan<byte> option) => option.Length >= 8 ? $" <{(option[0] == 1 ? "source" : "target")} {EthernetAddress.FromBytes(option[2..])}>" : "";

    // The records of IGMPv3 (RFC 3376 section 4.2) and MLDv2 (RFC 3810 section 5.2) differ in the length of addresses.
    private static string Records(ReadOnlySpan<byte> message, int addressLength)
    {
        string[] kinds = ["?", "is-in", "is-ex", "to-in", "to-ex", "allow", "block"];
        StringBuilder text = new();
        int count = BinaryPrimitives.ReadUInt16BigEndian(message[6..]);
        ReadOnlySpan<byte> rest = message[8..];
        for (int i = 0; i < count; i++)
        {
            int sources = BinaryPrimitives.ReadUInt16BigEndian(rest[2..]);
            text.Append(' ').Append(kinds[rest[0]]).Append(' ').Append(IpAddress.FromBytes(rest.Slice(4, addressLength)));
            rest = rest[(4 + addressLength)..];
            for (int s = 0; s < sources; s++, rest = rest[addressLength..])
            {
                text.Append(s == 0 ? " {" : ", ").Append(IpAddress.FromBytes(rest[..addressLength])).Append(s == sources - 1 ? "}" : "");
            }
        }

        Assert.Equal(0, rest.Length);
        return text.ToString();
    }
}
