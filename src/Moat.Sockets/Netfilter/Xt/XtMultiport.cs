using System.Buffers.Binary;
using Moat.Netstack.Filter;

namespace Moat.Sockets.Netfilter.Xt;

/// <summary>multiport: up to 15 ports or ranges (<c>struct xt_multiport_v1</c>).</summary>
internal sealed class XtMultiport : XtMatch
{
    /// <summary>Bytes of the structure.</summary>
    public const int Length = 48;

    private const byte MaxFlags = 2; // source, destination, either
    private const int MaxPorts = 15;

    private readonly byte _which;
    private readonly bool _isInverted;
    private readonly (ushort Min, ushort Max)[] _ranges;

    private XtMultiport(byte which, bool isInverted, (ushort Min, ushort Max)[] ranges) => (_which, _isInverted, _ranges) = (which, isInverted, ranges);

    /// <summary>Reads it; null if it is wrong.</summary>
    public static XtMultiport? Parse(ReadOnlySpan<byte> info)
    {
        const int Ports = 2;
        const int RangeFlags = 32;
        const int Invert = 47;
        int count = info[1];
        if (info[0] > MaxFlags || count > MaxPorts)
        {
            return null;
        }

        List<(ushort Min, ushort Max)> ranges = [];
        for (int i = 0; i < count; i++)
        {
            ushort port = BinaryPrimitives.ReadUInt16LittleEndian(info[(Ports + (2 * i))..]);
            ushort end = port;
            if (info[RangeFlags + i] != 0 && ++i < count)
            {
                end = BinaryPrimitives.ReadUInt16LittleEndian(info[(Ports + (2 * i))..]);
            }

            ranges.Add((port, end));
        }

        return new XtMultiport(info[0], info[Invert] != 0, [.. ranges]);
    }

    /// <inheritdoc/>
    protected override bool Matches(ref FilterPacket packet)
    {
        if (!packet.TryReadPorts(out ushort source, out ushort destination))
        {
            return false;
        }

        foreach ((ushort min, ushort max) in _ranges)
        {
            bool hasSource = source >= min && source <= max;
            bool hasDestination = destination >= min && destination <= max;
            if (_which switch { 0 => hasSource, 1 => hasDestination, _ => hasSource || hasDestination })
            {
                return !_isInverted;
            }
        }

        return _isInverted;
    }
}
