using System.Buffers.Binary;
using Moat.Linux;
using Moat.Netstack.Wire;

namespace Moat.Sockets.PacketSockets;

/// <summary><c>struct sockaddr_ll</c> (packet(7)).</summary>
/// <param name="Protocol">An EtherType in host order.</param>
/// <param name="InterfaceIndex">The interface; 0 for all.</param>
internal readonly record struct PacketAddress(ushort Protocol, int InterfaceIndex)
{
    /// <summary>Bytes of it.</summary>
    public const int Length = 20;

    private const int MinLength = 12; // without the link-layer address

    /// <summary>ARPHRD_*.</summary>
    public ushort HardwareType { get; init; }

    /// <summary>PACKET_HOST, PACKET_BROADCAST, ….</summary>
    public byte PacketType { get; init; }

    /// <summary>The link-layer address.</summary>
    public EthernetAddress Hardware { get; init; }

    /// <summary>Reads an address to bind to.</summary>
    /// <returns>EINVAL if it is too short, or of another family.</returns>
    public static Result<PacketAddress> Parse(ReadOnlySpan<byte> bytes) =>
        bytes.Length >= MinLength && BinaryPrimitives.ReadUInt16LittleEndian(bytes) != (ushort)AddressFamily.AF_PACKET ? Errno.EINVAL : ParseDestination(bytes);

    /// <summary>Reads an address to send to, whose family Linux does not look at.</summary>
    /// <returns>EINVAL if it is too short.</returns>
    public static Result<PacketAddress> ParseDestination(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < MinLength)
        {
            return Errno.EINVAL;
        }

        return new PacketAddress(BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]), BinaryPrimitives.ReadInt32LittleEndian(bytes[4..]))
        {
            Hardware = bytes.Length >= MinLength + EthernetAddress.Length ? EthernetAddress.FromBytes(bytes[MinLength..]) : default,
        };
    }

    /// <summary>Writes <see cref="Length"/> bytes.</summary>
    public void Write(Span<byte> destination)
    {
        destination[..Length].Clear();
        BinaryPrimitives.WriteUInt16LittleEndian(destination, (ushort)AddressFamily.AF_PACKET);
        BinaryPrimitives.WriteUInt16BigEndian(destination[2..], Protocol);
        BinaryPrimitives.WriteInt32LittleEndian(destination[4..], InterfaceIndex);
        BinaryPrimitives.WriteUInt16LittleEndian(destination[8..], HardwareType);
        destination[10] = PacketType;
        destination[11] = HardwareType == 0 ? (byte)0 : (byte)EthernetAddress.Length;
        Hardware.WriteTo(destination[MinLength..]);
    }

    /// <summary>The bytes of it.</summary>
    public byte[] Format()
    {
        byte[] bytes = new byte[Length];
        Write(bytes);
        return bytes;
    }
}
