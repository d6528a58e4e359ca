using System.Buffers.Binary;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Icmp;

/// <summary>What an ICMP error means to a socket (RFC 1122 section 4.2.3.9, and Linux's tables for both versions).</summary>
internal static class IcmpMeaning
{
    /// <summary>The error, and whether it ends a connection attempt.</summary>
    public static NetError Of(in IcmpHeader header, bool isV6, out bool isHard)
    {
        (NetError error, isHard) = isV6 ? OfV6(header.Type, header.Code) : OfV4(header.Type, header.Code);
        return error;
    }

    /// <summary>The MTU of the next hop, if a packet was too big; otherwise 0.</summary>
    public static int MtuOf(in IcmpHeader header, bool isV6, ReadOnlySpan<byte> quoted)
    {
        const byte FragmentationNeeded = 4;
        if (isV6)
        {
            const int MinMtu = 1280;
            return header.Type == IcmpV6Type.PacketTooBig ? (int)Math.Clamp(header.Rest, MinMtu, ushort.MaxValue) : 0;
        }

        if (header.Type != IcmpType.DestinationUnreachable || header.Code != FragmentationNeeded)
        {
            return 0;
        }

        int mtu = (int)(header.Rest & ushort.MaxValue);
        const int MinV4 = 68;
        if (mtu >= MinV4)
        {
            return mtu;
        }

        // A router older than RFC 1191: three quarters of what was sent.
        return Math.Max(BinaryPrimitives.ReadUInt16BigEndian(quoted[2..]) * 3 / 4, MinV4);
    }

    /// <summary>What the error queue tells beside type and code.</summary>
    public static uint InfoOf(in IcmpHeader header, bool isV6) => (header.Type, header.Code) switch
    {
        _ when isV6 => header.Rest,
        (IcmpType.DestinationUnreachable, 4) => header.Rest & ushort.MaxValue,
        (IcmpType.ParameterProblem, _) => header.Rest >> 24,
        _ => 0,
    };

    private static (NetError Error, bool IsHard) OfV4(byte type, byte code) => type switch
    {
        IcmpType.DestinationUnreachable => code switch
        {
            0 or 6 or 9 or 11 => (NetError.NetworkUnreachable, code is 6 or 9),
            2 => (NetError.ProtocolNotAvailable, true),
            3 => (NetError.ConnectionRefused, true),
            4 => (NetError.MessageTooLong, false),
            5 => (NetError.NotSupported, false),
            7 => (NetError.HostDown, true),
            8 => (NetError.NotOnNetwork, true),
            10 or 13 or 14 or 15 => (NetError.HostUnreachable, true),
            _ => (NetError.HostUnreachable, false),
        },
        IcmpType.ParameterProblem => (NetError.ProtocolError, true),
        _ => (NetError.HostUnreachable, false),
    };

    private static (NetError Error, bool IsHard) OfV6(byte type, byte code) => type switch
    {
        IcmpV6Type.DestinationUnreachable => code switch
        {
            0 => (NetError.NetworkUnreachable, false),
            1 or 5 or 6 => (NetError.PermissionDenied, true),
            4 => (NetError.ConnectionRefused, true),
            _ => (NetError.HostUnreachable, false),
        },
        IcmpV6Type.PacketTooBig => (NetError.MessageTooLong, false),
        IcmpV6Type.ParameterProblem => (NetError.ProtocolError, true),
        _ => (NetError.HostUnreachable, false),
    };
}
