using System.Buffers.Binary;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Ip;

/// <summary>Reads the chain of IPv6 extension headers (RFC 8200 section 4).</summary>
internal static class Ipv6Extensions
{
    private const byte Pad1 = 0;
    private const byte PadN = 1;
    private const byte RouterAlert = 5;

    /// <summary>Looks at the header that begins <paramref name="bytes"/>.</summary>
    /// <param name="bytes">From the header on.</param>
    /// <param name="next">The header's kind; afterwards the kind of what follows, if it was passed.</param>
    /// <param name="isFirst">Whether it follows the fixed header: hop-by-hop options may stand only there.</param>
    /// <param name="length">Bytes of the header, if it was passed.</param>
    /// <param name="pointer">What to report: the offset of the offending byte behind the header's begin.</param>
    public static Ipv6ExtensionStep Step(ReadOnlySpan<byte> bytes, ref IpProtocol next, bool isFirst, out int length, out int pointer)
    {
        length = 0;
        pointer = 0;
        switch (next)
        {
            case IpProtocol.Fragment:
                return Ipv6ExtensionStep.Fragment;
            case IpProtocol.HopByHop when !isFirst:
                return Ipv6ExtensionStep.Report;
            case IpProtocol.HopByHop or IpProtocol.DestinationOptions or IpProtocol.Routing:
                break;
            case IpProtocol.NoNextHeader:
                return Ipv6ExtensionStep.Discard;
            default:
                return Ipv6ExtensionStep.Transport;
        }

        if (bytes.Length < 8 || bytes.Length < (length = 8 * (bytes[1] + 1)))
        {
            return Ipv6ExtensionStep.Malformed;
        }

        // A routing header with segments left is for routers of its kind; none is supported (RFC 5095 took the general one away).
        const int SegmentsLeft = 3;
        if (next == IpProtocol.Routing && bytes[SegmentsLeft] != 0)
        {
            pointer = 2;
            return Ipv6ExtensionStep.Report;
        }

        Ipv6ExtensionStep step = next == IpProtocol.Routing ? Ipv6ExtensionStep.Passed : ReadOptions(bytes[..length], out pointer);
        if (step == Ipv6ExtensionStep.Passed)
        {
            next = (IpProtocol)bytes[0];
        }

        return step;
    }

    /// <summary>Finds the transport header of a packet that an error quotes, whatever stands before it: the packet is this machine's own.</summary>
    /// <param name="packet">From the fixed header on.</param>
    /// <param name="next">What the header before <paramref name="offset"/> says follows; afterwards the transport.</param>
    /// <param name="offset">Where the first header behind the fixed one begins; afterwards where the transport header does.</param>
    /// <returns>False if it is not there.</returns>
    public static bool TrySkip(ReadOnlySpan<byte> packet, ref IpProtocol next, ref int offset)
    {
        const int Unit = 8;
        const ushort FragmentOffsetMask = 0xfff8;
        while (next is IpProtocol.HopByHop or IpProtocol.DestinationOptions or IpProtocol.Routing or IpProtocol.Fragment)
        {
            if (packet.Length < offset + Unit)
            {
                return false;
            }

            ReadOnlySpan<byte> header = packet[offset..];
            bool isFragment = next == IpProtocol.Fragment;
            if (isFragment && (BinaryPrimitives.ReadUInt16BigEndian(header[2..]) & FragmentOffsetMask) != 0)
            {
                return false; // the transport header was in another one
            }

            next = (IpProtocol)header[0];
            offset += isFragment ? Unit : Unit * (header[1] + 1);
        }

        return offset <= packet.Length;
    }

    // The two highest bits of an unknown option say what to do (RFC 8200 section 4.2).
    private static Ipv6ExtensionStep ReadOptions(ReadOnlySpan<byte> header, out int pointer)
    {
        pointer = 0;
        for (int at = 2; at < header.Length;)
        {
            byte kind = header[at];
            if (kind == Pad1)
            {
                at++;
                continue;
            }

            if (at + 2 > header.Length || at + 2 + header[at + 1] > header.Length)
            {
                return Ipv6ExtensionStep.Malformed;
            }

            if (kind is not PadN and not RouterAlert && kind >> 6 != 0)
            {
                pointer = at;
                return kind >> 6 == 1 ? Ipv6ExtensionStep.Discard : Ipv6ExtensionStep.Report;
            }

            at += 2 + header[at + 1];
        }

        return Ipv6ExtensionStep.Passed;
    }
}
