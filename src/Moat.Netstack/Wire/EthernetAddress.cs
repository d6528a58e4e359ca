namespace Moat.Netstack.Wire;

/// <summary>A 48-bit link-layer address (IEEE 802).</summary>
/// <param name="Value">The address as a number: the first byte on the wire is the highest of the six.</param>
public readonly record struct EthernetAddress(ulong Value)
{
    /// <summary>Bytes on the wire.</summary>
    public const int Length = 6;

    /// <summary>ff:ff:ff:ff:ff:ff.</summary>
    public static EthernetAddress Broadcast { get; } = new(0xffff_ffff_ffff);

    /// <summary>Whether the group bit is set: broadcast or multicast.</summary>
    public bool IsGroup => (Value >> 40 & 1) != 0;

    /// <summary>Whether it may be an interface's own: not a group, not zero.</summary>
    public bool IsUnicast => !IsGroup && Value != 0;

    /// <summary>Reads six bytes.</summary>
    public static EthernetAddress FromBytes(ReadOnlySpan<byte> bytes)
    {
        ulong value = 0;
        foreach (byte b in bytes[..Length])
        {
            value = value << 8 | b;
        }

        return new EthernetAddress(value);
    }

    /// <summary>The link-layer address of a multicast group (RFC 1112 section 6.4, RFC 2464 section 7).</summary>
    public static EthernetAddress ForMulticast(IpAddress group)
    {
        Span<byte> bytes = stackalloc byte[16];
        group.WriteTo(bytes);
        return group.IsV4
            ? new EthernetAddress(0x0100_5e00_0000UL | (group.V4 & 0x7f_ffff))
            : new EthernetAddress(0x3333_0000_0000UL | (ulong)bytes[12] << 24 | (ulong)bytes[13] << 16 | (ulong)bytes[14] << 8 | bytes[15]);
    }

    /// <summary>Writes six bytes.</summary>
    public void WriteTo(Span<byte> destination)
    {
        for (int i = 0; i < Length; i++)
        {
            destination[i] = (byte)(Value >> (40 - (8 * i)));
        }
    }

    /// <summary>Six pairs of hexadecimal digits.</summary>
    public override string ToString() => string.Create(17, Value, static (text, value) =>
    {
        for (int i = 0; i < Length; i++)
        {
            _ = ((byte)(value >> (40 - (8 * i)))).TryFormat(text[(3 * i)..], out _, "x2");
            if (i < Length - 1)
            {
                text[(3 * i) + 2] = ':';
            }
        }
    });
}
