using System.Buffers.Binary;
using Moat.Linux;
using Moat.Netstack.Wire;

namespace Moat.Sockets.Inet;

/// <summary><c>struct sockaddr_in</c> and <c>struct sockaddr_in6</c> (ip(7), ipv6(7)).</summary>
internal static class InetAddress
{
    private const int LengthV4 = 16;
    private const int MinLengthV6 = 24; // without the scope
    private const int LengthV6 = 28;

    /// <summary>The family that an address says it is of; AF_UNSPEC if it is too short to say.</summary>
    public static AddressFamily FamilyOf(ReadOnlySpan<byte> address) => address.Length < 2 ? AddressFamily.AF_UNSPEC : (AddressFamily)BinaryPrimitives.ReadUInt16LittleEndian(address);

    /// <summary>Reads an address to bind to: of AF_INET, one of AF_UNSPEC with nothing in it means any (ip(7)).</summary>
    /// <returns>EINVAL if it is too short, EAFNOSUPPORT for another family.</returns>
    public static Result<IpEndpoint> ParseLocal(ReadOnlySpan<byte> bytes, bool isV6)
    {
        bool isAny = !isV6 && bytes.Length >= LengthV4 && FamilyOf(bytes) == AddressFamily.AF_UNSPEC && BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]) == 0;
        return isAny ? new IpEndpoint(IpAddress.AnyV4, BinaryPrimitives.ReadUInt16BigEndian(bytes[2..])) : Parse(bytes, isV6);
    }

    /// <summary>Reads an address for a socket.</summary>
    /// <param name="bytes">As the guest gave it.</param>
    /// <param name="isV6">Whether the socket is of AF_INET6.</param>
    /// <returns>EINVAL if it is too short, EAFNOSUPPORT for another family.</returns>
    public static Result<IpEndpoint> Parse(ReadOnlySpan<byte> bytes, bool isV6)
    {
        AddressFamily family = FamilyOf(bytes);
        if (bytes.Length < (isV6 ? MinLengthV6 : LengthV4) && !(isV6 && family == AddressFamily.AF_INET && bytes.Length >= LengthV4))
        {
            return Errno.EINVAL;
        }

        if (family != (isV6 ? AddressFamily.AF_INET6 : AddressFamily.AF_INET))
        {
            return Errno.EAFNOSUPPORT;
        }

        ushort port = BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]);
        return new IpEndpoint(IpAddress.FromBytes(isV6 ? bytes.Slice(8, 16) : bytes.Slice(4, 4)), port);
    }

    /// <summary>Writes an address for a socket: an IPv4 address in its mapped form where the socket is of AF_INET6.</summary>
    public static byte[] Format(IpEndpoint endpoint, bool isV6)
    {
        byte[] bytes = new byte[isV6 ? LengthV6 : LengthV4];
        BinaryPrimitives.WriteUInt16LittleEndian(bytes, (ushort)(isV6 ? AddressFamily.AF_INET6 : AddressFamily.AF_INET));
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(2), endpoint.Port);
        if (isV6)
        {
            endpoint.Address.WriteV6To(bytes.AsSpan(8));
        }
        else
        {
            endpoint.Address.WriteTo(bytes.AsSpan(4));
        }

        return bytes;
    }
}
