using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Net;

namespace Moat.Netstack.Wire;

/// <summary>An IPv4 or IPv6 address. IPv4 is held as an IPv4-mapped address (RFC 4291 section 2.5.5.2), so that a dual-stack socket compares both kinds as they are.</summary>
public readonly struct IpAddress : IEquatable<IpAddress>
{
    private const ulong MappedPrefix = 0xffff_0000_0000;

    private readonly ulong _high;
    private readonly ulong _low;

    private IpAddress(ulong high, ulong low)
    {
        _high = high;
        _low = low;
    }

    /// <summary>0.0.0.0.</summary>
    public static IpAddress AnyV4 { get; } = FromV4(0);

    /// <summary>::.</summary>
    public static IpAddress AnyV6 { get; }

    /// <summary>127.0.0.1.</summary>
    public static IpAddress LoopbackV4 { get; } = FromV4(0x7f00_0001);

    /// <summary>::1.</summary>
    public static IpAddress LoopbackV6 { get; } = new(0, 1);

    /// <summary>255.255.255.255.</summary>
    public static IpAddress BroadcastV4 { get; } = FromV4(uint.MaxValue);

    /// <summary>Whether it is an IPv4 address.</summary>
    public bool IsV4 => _high == 0 && _low >> 32 == MappedPrefix >> 32;

    /// <summary>Whether it is 0.0.0.0 or ::.</summary>
    public bool IsAny => _high == 0 && (_low == 0 || _low == MappedPrefix);

    /// <summary>Whether it is in 127.0.0.0/8 or ::1.</summary>
    public bool IsLoopback => IsV4 ? V4 >> 24 == 127 : _high == 0 && _low == 1;

    /// <summary>Whether it is in 224.0.0.0/4 or ff00::/8.</summary>
    public bool IsMulticast => IsV4 ? V4 >> 28 == 0xe : _high >> 56 == 0xff;

    /// <summary>Whether it is fe80::/10 or 169.254.0.0/16.</summary>
    public bool IsLinkLocal => IsV4 ? V4 >> 16 == 0xa9fe : _high >> 54 == 0xfe80 >> 6;

    /// <summary>The IPv4 address as a number in host order; meaningful if <see cref="IsV4"/>.</summary>
    public uint V4 => (uint)_low;

    /// <summary>The bits of the IPv6 or IPv4-mapped address as a number.</summary>
    public UInt128 Value => new(_high, _low);

    /// <summary>4 or 16 bytes.</summary>
    public int Length => IsV4 ? 4 : 16;

    /// <summary>32 or 128.</summary>
    public int Bits => IsV4 ? 32 : 128;

    /// <summary>An IPv4 address from a number in host order.</summary>
    public static IpAddress FromV4(uint address) => new(0, MappedPrefix | address);

    /// <summary>An address from its <see cref="Value"/>.</summary>
    public static IpAddress FromValue(UInt128 value) => new((ulong)(value >> 64), (ulong)value);

    /// <summary>An address from 4 or 16 bytes in network order. Sixteen bytes of an IPv4-mapped address give the IPv4 address.</summary>
    public static IpAddress FromBytes(ReadOnlySpan<byte> bytes) => bytes.Length == 4
        ? FromV4(BinaryPrimitives.ReadUInt32BigEndian(bytes))
        : new IpAddress(BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]));

    /// <summary>Reads the usual text form, without a scope.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out IpAddress address)
    {
        address = default;
        if (!IPAddress.TryParse(text, out IPAddress? parsed))
        {
            return false;
        }

        Span<byte> bytes = stackalloc byte[16];
        _ = parsed.TryWriteBytes(bytes, out int count);
        address = FromBytes(bytes[..count]);
        return true;
    }

    /// <summary>Reads the usual text form.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static IpAddress Parse(string text) => TryParse(text, out IpAddress address) ? address : throw new FormatException($"\"{text}\" is no IP address");

    /// <summary>Writes <see cref="Length"/> bytes in network order.</summary>
    public void WriteTo(Span<byte> destination)
    {
        if (IsV4)
        {
            BinaryPrimitives.WriteUInt32BigEndian(destination, V4);
        }
        else
        {
            WriteV6To(destination);
        }
    }

    /// <summary>Writes 16 bytes in network order, an IPv4 address in its mapped form.</summary>
    public void WriteV6To(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt64BigEndian(destination, _high);
        BinaryPrimitives.WriteUInt64BigEndian(destination[8..], _low);
    }

    /// <summary>The address with all bits behind the first <paramref name="prefixLength"/> cleared.</summary>
    public IpAddress Mask(int prefixLength)
    {
        int bits = IsV4 ? prefixLength + 96 : prefixLength;
        ulong high = bits >= 64 ? ulong.MaxValue : bits == 0 ? 0 : ulong.MaxValue << (64 - bits);
        ulong low = bits >= 128 ? ulong.MaxValue : bits <= 64 ? 0 : ulong.MaxValue << (128 - bits);
        return new IpAddress(_high & high, _low & low);
    }

    /// <summary>Whether both share the first <paramref name="prefixLength"/> bits and the family.</summary>
    public bool IsInPrefix(IpAddress network, int prefixLength) => IsV4 == network.IsV4 && Mask(prefixLength) == network.Mask(prefixLength);

    /// <inheritdoc/>
    public bool Equals(IpAddress other) => _high == other._high && _low == other._low;

    /// <inheritdoc/>
    public override bool Equals([NotNullWhen(true)] object? obj) => obj is IpAddress other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_high, _low);

    /// <summary>The text form of RFC 5952.</summary>
    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[16];
        WriteTo(bytes);
        return new IPAddress(bytes[..Length]).ToString();
    }

    /// <summary>Whether they are the same.</summary>
    public static bool operator ==(IpAddress left, IpAddress right) => left.Equals(right);

    /// <summary>Whether they differ.</summary>
    public static bool operator !=(IpAddress left, IpAddress right) => !left.Equals(right);
}
