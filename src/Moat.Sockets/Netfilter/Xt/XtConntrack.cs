using System.Buffers.Binary;
using Moat.Netstack.Filter;
using Moat.Netstack.Filter.Tracking;
using Moat.Netstack.Wire;

namespace Moat.Sockets.Netfilter.Xt;

/// <summary>conntrack and state: what a packet is to its connection, and what that is (<c>struct xt_conntrack_mtinfo1</c> to <c>3</c>).</summary>
internal sealed class XtConntrack : XtMatch
{
    /// <summary>Bytes of <c>struct xt_conntrack_mtinfo1</c>.</summary>
    public const int LengthV1 = 152;

    /// <summary>Bytes of <c>struct xt_conntrack_mtinfo2</c>.</summary>
    public const int LengthV2 = 156;

    /// <summary>Bytes of <c>struct xt_conntrack_mtinfo3</c>.</summary>
    public const int LengthV3 = 164;

    private const ushort OfState = 1;
    private const ushort OfProtocol = 1 << 1;
    private const ushort FirstAddress = 1 << 2;
    private const ushort OfStatus = 1 << 6;
    private const ushort OfExpiry = 1 << 7;
    private const ushort FirstPort = 1 << 8;
    private const ushort OfDirection = 1 << 12;
    private const uint SourceNat = 1 << 6;
    private const uint DestinationNat = 1 << 7;
    private const uint Untracked = 1 << 8;
    private const int AddressCount = 4;
    private const int AddressLength = 16;

    private readonly byte[] _info;
    private readonly bool _isV6;
    private readonly ushort _flags;
    private readonly ushort _inverted;
    private readonly ushort _state;
    private readonly ushort _status;
    private readonly bool _hasPortRanges;

    /// <summary>Reads conntrack.</summary>
    public XtConntrack(byte revision, ReadOnlySpan<byte> info, bool isV6)
    {
        const int Flags = 146;
        _info = info.ToArray();
        _isV6 = isV6;
        _flags = BinaryPrimitives.ReadUInt16LittleEndian(info[Flags..]);
        _inverted = BinaryPrimitives.ReadUInt16LittleEndian(info[(Flags + 2)..]);
        _state = revision == 1 ? info[Flags + 4] : BinaryPrimitives.ReadUInt16LittleEndian(info[(Flags + 4)..]);
        _status = revision == 1 ? info[Flags + 5] : BinaryPrimitives.ReadUInt16LittleEndian(info[(Flags + 6)..]);
        _hasPortRanges = revision == 3;
    }

    /// <summary>Reads state.</summary>
    public XtConntrack(uint states) => (_info, _flags, _state) = ([], OfState, (ushort)states);

    /// <inheritdoc/>
    public override bool NeedsTracking => true;

    /// <inheritdoc/>
    protected override bool Matches(ref FilterPacket packet)
    {
        TrackedFlow? flow = packet.Packet.Flow;
        if ((_flags & OfState) != 0 && ((StatesOf(packet.Packet) & _state) != 0) == IsInverted(OfState))
        {
            return false;
        }

        if (flow is null)
        {
            return (_flags & ~OfState) == 0;
        }

        if ((_flags & OfDirection) != 0 && !packet.Packet.IsFlowReply == IsInverted(OfDirection))
        {
            return false;
        }

        if ((_flags & OfProtocol) != 0 && ((byte)flow.Original.Protocol == (byte)Number(136)) == IsInverted(OfProtocol))
        {
            return false;
        }

        if ((_flags & OfStatus) != 0 && (((uint)flow.Status & _status) != 0) == IsInverted(OfStatus))
        {
            return false;
        }

        return MatchesExpiry(ref packet, flow) && MatchesEnds(flow);
    }

    // XT_CONNTRACK_STATE_*.
    private static uint StatesOf(Moat.Netstack.Packets.Packet packet)
    {
        uint states = packet.FlowState switch
        {
            PacketFlowState.Established => 2u,
            PacketFlowState.Related => 4,
            PacketFlowState.New => 8,
            PacketFlowState.Untracked => Untracked,
            _ => 1,
        };
        if (packet.Flow is { } flow)
        {
            states |= flow.Has(FlowStatus.SourceNat) ? SourceNat : 0;
            states |= flow.Has(FlowStatus.DestinationNat) ? DestinationNat : 0;
        }

        return states;
    }

    private bool MatchesExpiry(ref FilterPacket packet, TrackedFlow flow)
    {
        const int MinOffset = 128;
        const long Second = 1_000_000_000;
        if ((_flags & OfExpiry) == 0)
        {
            return true;
        }

        long seconds = Math.Max(0, (flow.ExpiresNs - packet.Stack.Host.NowNs) / Second);
        uint min = BinaryPrimitives.ReadUInt32LittleEndian(_info.AsSpan(MinOffset));
        uint max = BinaryPrimitives.ReadUInt32LittleEndian(_info.AsSpan(MinOffset + 4));
        return (seconds >= min && seconds <= max) != IsInverted(OfExpiry);
    }

    // Source and destination of the original direction, then of the reply's.
    private bool MatchesEnds(TrackedFlow flow)
    {
        const int Ports = 138;
        const int LastPorts = 154;
        for (int i = 0; i < AddressCount; i++)
        {
            FlowTuple tuple = flow.Of(i >= 2);
            ushort address = (ushort)(FirstAddress << i);
            if ((_flags & address) != 0 && IsMasked(i % 2 == 0 ? tuple.Source : tuple.Destination, i) == IsInverted(address))
            {
                return false;
            }

            ushort port = (ushort)(FirstPort << i);
            if ((_flags & port) == 0)
            {
                continue;
            }

            ushort value = i % 2 == 0 ? tuple.SourcePort : tuple.DestinationPort;
            ushort min = Number(Ports + (2 * i));
            min = _hasPortRanges ? min : BinaryPrimitives.ReverseEndianness(min);
            ushort max = _hasPortRanges ? Number(LastPorts + (2 * i)) : min;
            if ((value >= min && value <= max) == IsInverted(port))
            {
                return false;
            }
        }

        return true;
    }

    private bool IsMasked(IpAddress address, int index)
    {
        int length = _isV6 ? AddressLength : 4;
        Span<byte> bytes = stackalloc byte[AddressLength];
        if (address.Length != length)
        {
            return false;
        }

        address.WriteTo(bytes);
        ReadOnlySpan<byte> wanted = _info.AsSpan(2 * AddressLength * index, length);
        ReadOnlySpan<byte> mask = _info.AsSpan((2 * AddressLength * index) + AddressLength, length);
        for (int i = 0; i < length; i++)
        {
            if (((bytes[i] ^ wanted[i]) & mask[i]) != 0)
            {
                return false;
            }
        }

        return true;
    }

    private ushort Number(int offset) => BinaryPrimitives.ReadUInt16LittleEndian(_info.AsSpan(offset));

    private bool IsInverted(ushort flag) => (_inverted & flag) != 0;
}
