using System.Buffers.Binary;
using Moat.Netstack.Filter;
using Moat.Netstack.Wire;

namespace Moat.Sockets.Netfilter.Xt;

/// <summary>tcp and udp: ranges of ports, control bits, whether an option is there (<c>struct xt_tcp</c>, <c>struct xt_udp</c>).</summary>
internal sealed class XtPorts : XtMatch
{
    /// <summary>Bytes of <c>struct xt_tcp</c>.</summary>
    public const int TcpLength = 12;

    /// <summary>Bytes of <c>struct xt_udp</c>.</summary>
    public const int UdpLength = 10;

    private const int FlagsOffset = 13;

    private readonly IpProtocol _protocol;
    private readonly ushort _sourceMin;
    private readonly ushort _sourceMax;
    private readonly ushort _destinationMin;
    private readonly ushort _destinationMax;
    private readonly byte _option;
    private readonly byte _flagMask;
    private readonly byte _flags;
    private readonly byte _inverted; // bits: source, destination, flags, option

    /// <summary>Reads it.</summary>
    public XtPorts(IpProtocol protocol, ReadOnlySpan<byte> info)
    {
        _protocol = protocol;
        _sourceMin = BinaryPrimitives.ReadUInt16LittleEndian(info);
        _sourceMax = BinaryPrimitives.ReadUInt16LittleEndian(info[2..]);
        _destinationMin = BinaryPrimitives.ReadUInt16LittleEndian(info[4..]);
        _destinationMax = BinaryPrimitives.ReadUInt16LittleEndian(info[6..]);
        if (protocol == IpProtocol.Tcp)
        {
            (_option, _flagMask, _flags, _inverted) = (info[8], info[9], info[10], info[11]);
        }
        else
        {
            _inverted = info[8];
        }
    }

    /// <summary>Whether it says what is known.</summary>
    public bool IsValid => _inverted <= (_protocol == IpProtocol.Tcp ? 0xf : 3);

    /// <inheritdoc/>
    protected override bool Matches(ref FilterPacket packet)
    {
        if (packet.Protocol != _protocol || !packet.TryReadPorts(out ushort source, out ushort destination))
        {
            return false;
        }

        bool matches = (source >= _sourceMin && source <= _sourceMax) != ((_inverted & 1) != 0) && (destination >= _destinationMin && destination <= _destinationMax) != ((_inverted & 2) != 0);
        if (!matches || _protocol != IpProtocol.Tcp || (_flagMask == 0 && _option == 0 && _inverted < 4))
        {
            return matches;
        }

        Span<byte> header = stackalloc byte[TcpHeader.MinLength];
        if (!packet.TryRead(packet.TransportOffset, header))
        {
            return false;
        }

        if ((header[FlagsOffset] & _flagMask) == _flags == ((_inverted & 4) != 0))
        {
            return false;
        }

        return _option == 0 || HasOption(ref packet, (header[12] >> 4) * 4) != ((_inverted & 8) != 0);
    }

    private bool HasOption(ref FilterPacket packet, int headerLength)
    {
        Span<byte> options = stackalloc byte[TcpHeader.MaxLength - TcpHeader.MinLength];
        options = options[..Math.Clamp(headerLength - TcpHeader.MinLength, 0, options.Length)];
        if (!packet.TryRead(packet.TransportOffset + TcpHeader.MinLength, options))
        {
            return false;
        }

        for (int at = 0; at < options.Length;)
        {
            if (options[at] == _option)
            {
                return true;
            }

            at += options[at] < 2 || at + 1 >= options.Length ? 1 : Math.Max((int)options[at + 1], 1);
        }

        return false;
    }
}
