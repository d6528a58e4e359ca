using System.Buffers.Binary;
using Moat.Netstack.Filter;
using Moat.Netstack.Interfaces;
using Moat.Netstack.Wire;
using Moat.Sockets.Netfilter.Xt;

namespace Moat.Sockets.Netfilter.Legacy;

/// <summary>What every rule of iptables says: addresses, interfaces, a protocol (<c>struct ipt_ip</c>, <c>struct ip6t_ip6</c>).</summary>
internal sealed class XtIp : XtMatch
{
    private const int NameLength = 16;
    private const byte InvertInput = 1;
    private const byte InvertOutput = 2;
    private const byte InvertSource = 8;
    private const byte InvertDestination = 0x10;
    private const byte InvertFragment = 0x20;
    private const byte InvertProtocol = 0x40;
    private const byte LaterFragments = 1; // IPT_F_FRAG
    private const byte HasProtocol = 1; // IP6T_F_PROTO

    private readonly byte[] _bytes;
    private readonly XtLayout _layout;
    private readonly ushort _protocol;
    private readonly byte _flags;
    private readonly byte _inverted;

    /// <summary>Reads it.</summary>
    public XtIp(ReadOnlySpan<byte> entry, XtLayout layout)
    {
        _layout = layout;
        _bytes = entry[..layout.Entry].ToArray();
        _protocol = BinaryPrimitives.ReadUInt16LittleEndian(entry[layout.Protocol..]);
        (_flags, _inverted) = (entry[layout.Flags], entry[layout.Inverted]);
    }

    /// <summary>Whether it says nothing: every packet matches.</summary>
    public bool IsEmpty => _bytes.AsSpan(0, _layout.Inverted + 1).IndexOfAnyExcept((byte)0) < 0;

    /// <summary>The protocol that extensions are told of.</summary>
    public byte Protocol => (_inverted & InvertProtocol) != 0 || (_layout.IsV6 && (_flags & HasProtocol) == 0) ? (byte)0 : (byte)_protocol;

    /// <inheritdoc/>
    protected override bool Matches(ref FilterPacket packet)
    {
        if (IsAddress(packet.Source, 0) == ((_inverted & InvertSource) != 0) || IsAddress(packet.Destination, 1) == ((_inverted & InvertDestination) != 0))
        {
            return false;
        }

        if (IsInterface(packet.Input, 0) == ((_inverted & InvertInput) != 0) || IsInterface(packet.Output, 1) == ((_inverted & InvertOutput) != 0))
        {
            return false;
        }

        bool asksProtocol = _layout.IsV6 ? (_flags & HasProtocol) != 0 : _protocol != 0;
        if (asksProtocol && (ushort)packet.Protocol == _protocol == ((_inverted & InvertProtocol) != 0))
        {
            return false;
        }

        // Packets here are whole.
        return _layout.IsV6 || (_flags & LaterFragments) == 0 || (_inverted & InvertFragment) != 0;
    }

    // Source and destination come first, then their masks.
    private bool IsAddress(IpAddress address, int index)
    {
        int length = _layout.Address;
        Span<byte> bytes = stackalloc byte[16];
        if (address.Length != length)
        {
            return false;
        }

        address.WriteTo(bytes);
        ReadOnlySpan<byte> wanted = _bytes.AsSpan(index * length, length);
        ReadOnlySpan<byte> mask = _bytes.AsSpan((2 + index) * length, length);
        for (int i = 0; i < length; i++)
        {
            if ((bytes[i] & mask[i]) != wanted[i])
            {
                return false;
            }
        }

        return true;
    }

    private bool IsInterface(NetworkInterface? of, int index)
    {
        ReadOnlySpan<byte> mask = _bytes.AsSpan(_layout.InterfaceOffset + ((2 + index) * NameLength), NameLength);
        if (mask.IndexOfAnyExcept((byte)0) < 0)
        {
            return true;
        }

        Span<byte> name = stackalloc byte[NameLength];
        name.Clear();
        _ = System.Text.Encoding.Latin1.GetBytes(of?.Name ?? "", name);
        ReadOnlySpan<byte> wanted = _bytes.AsSpan(_layout.InterfaceOffset + (index * NameLength), NameLength);
        for (int i = 0; i < NameLength; i++)
        {
            if (((name[i] ^ wanted[i]) & mask[i]) != 0)
            {
                return false;
            }
        }

        return true;
    }
}
