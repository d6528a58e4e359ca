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
