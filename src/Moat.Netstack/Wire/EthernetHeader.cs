using System.Buffers.Binary;

namespace Moat.Netstack.Wire;

/// <summary>The header of an Ethernet II frame.</summary>
/// <param name="Destination">To whom.</param>
/// <param name="Source">From whom.</param>
/// <param name="Type">What it carries.</param>
public readonly record struct EthernetHeader(EthernetAddress Destination, EthernetAddress Source, EtherType Type)
{
    /// <summary>Bytes on the wire.</summary>
    public const int Length = 14;

    /// <summary>Reads the header; false if the frame is too short or an 802.3 length stands where the type should.</summary>
    public static bool TryParse(ReadOnlySpan<byte> frame, out EthernetHeader header)
    {
        const int MinType = 0x600;
        header = default;
        if (frame.Length < Length)
        {
            return false;
        }

        ushort type = BinaryPrimitives.ReadUInt16BigEndian(frame[12..]);
        header = new EthernetHeader(EthernetAddress.FromBytes(frame), EthernetAddress.FromBytes(frame[6..]), (EtherType)type);
        return type >= MinType;
    }

    /// <summary>Writes <see cref="Length"/> bytes.</summary>
    public void Write(Span<byte> destination)
    {
        Destination.WriteTo(destination);
        Source.WriteTo(destination[6..]);
        BinaryPrimitives.WriteUInt16BigEndian(destination[12..], (ushort)Type);
    }
}
