using Moat.Linux;
using Moat.Netstack.Filter;
using Moat.Netstack.Filter.Tracking;
using Moat.Netstack.Wire;
using Moat.Sockets.Netlink;

namespace Moat.Sockets.Netfilter.Nft.Expressions;

/// <summary><c>ct</c>: loads what is known of the packet's connection, or sets its mark.</summary>
internal sealed class NftTracking : NftExpression
{
    private const ushort NFTA_CT_DREG = 1;
    private const ushort NFTA_CT_KEY = 2;
    private const ushort NFTA_CT_DIRECTION = 3;
    private const ushort NFTA_CT_SREG = 4;
    private const long Millisecond = 1_000_000;

    private readonly NftTrackingKey _key;
    private readonly int _register;
    private readonly bool _isSet;
    private readonly byte? _direction;

    private NftTracking(NftTrackingKey key, int register, bool isSet, byte? direction) => (_key, _register, _isSet, _direction) = (key, register, isSet, direction);

    /// <inheritdoc/>
    public override string Name => "ct";

    /// <inheritdoc/>
    public override bool NeedsTracking => true;

    /// <summary>Reads it.</summary>
    /// <returns>EINVAL, ERANGE; EOPNOTSUPP for a key that is not known.</returns>
    public static Result<NftExpression> Parse(AttributeReader attributes, NftTable table)
    {
        Errno errno = attributes.Read(NFTA_CT_KEY, out uint? number);
        bool loads = attributes.Has(NFTA_CT_DREG);
        bool sets = attributes.Has(NFTA_CT_SREG);
        if (errno != Errno.None || number is null || loads == sets)
        {
            return errno != Errno.None ? errno : Errno.EINVAL;
        }

        NftTrackingKey key = (NftTrackingKey)number.Value;
        if (!Enum.IsDefined(key) || (sets && key != NftTrackingKey.NFT_CT_MARK))
        {
            return Errno.EOPNOTSUPP;
        }

        ReadOnlySpan<byte> given = attributes.Bytes(NFTA_CT_DIRECTION);
        byte? direction = given.IsEmpty ? null : given[0];
        bool needsDirection = IsOfOneDirection(key);
        if (direction > 1 || (needsDirection && direction is null) || (direction is not null && (sets || !needsDirection)))
        {
            return Errno.EINVAL;
        }

        int length = LengthOf(key, table.Family);
        if (length == 0)
        {
            return Errno.EAFNOSUPPORT;
        }

        return NftRegister.Read(attributes, sets ? NFTA_CT_SREG : NFTA_CT_DREG, length).TryGet(out int register, out errno) ? new NftTracking(key, register, sets, direction) : errno;
    }

    /// <inheritdoc/>
    public override FilterStep Evaluate(ref FilterPacket packet)
    {
        TrackedFlow? flow = packet.Packet.Flow;
        if (_key == NftTrackingKey.NFT_CT_STATE)
        {
            NftRegister.Store(ref packet.Registers, _register, StateBit(packet.Packet));
            return FilterStep.Continue;
        }

        if (flow is null)
        {
            return FilterStep.Break;
        }

        if (_isSet)
        {
            flow.Mark = packet.Registers[_register];
            return FilterStep.Continue;
        }

        return _direction is { } direction ? LoadTuple(ref packet, flow.Of(direction == 1)) : LoadNumber(ref packet, flow);
    }

    /// <summary>NF_CT_STATE_*: what a packet is to its connection.</summary>
    public static uint StateBit(Moat.Netstack.Packets.Packet packet) => packet.FlowState switch
    {
        PacketFlowState.Established => 2u,
        PacketFlowState.Related => 4,
        PacketFlowState.New => 8,
        PacketFlowState.Untracked => 64,
        _ => 1,
    };

    /// <inheritdoc/>
    public override void Write(NetlinkWriter writer, bool reset)
    {
        if (_isSet)
        {
            NftRegister.Put(writer, NFTA_CT_SREG, _register);
            writer.PutBig(NFTA_CT_KEY, (uint)_key);
            return;
        }

        NftRegister.Put(writer, NFTA_CT_DREG, _register);
        writer.PutBig(NFTA_CT_KEY, (uint)_key);
        if (_direction is { } direction)
        {
            writer.Put(NFTA_CT_DIRECTION, direction);
        }
    }

    private static bool IsOfOneDirection(NftTrackingKey key) => key is NftTrackingKey.NFT_CT_SRC or NftTrackingKey.NFT_CT_DST or NftTrackingKey.NFT_CT_PROTO_SRC or NftTrackingKey.NFT_CT_PROTO_DST
        or NftTrackingKey.NFT_CT_SRC_IP or NftTrackingKey.NFT_CT_DST_IP or NftTrackingKey.NFT_CT_SRC_IP6 or NftTrackingKey.NFT_CT_DST_IP6;

    private static int LengthOf(NftTrackingKey key, NetfilterFamily family) => key switch
    {
        NftTrackingKey.NFT_CT_DIRECTION or NftTrackingKey.NFT_CT_L3PROTOCOL or NftTrackingKey.NFT_CT_PROTOCOL => 1,
        NftTrackingKey.NFT_CT_PROTO_SRC or NftTrackingKey.NFT_CT_PROTO_DST or NftTrackingKey.NFT_CT_ZONE => 2,
        NftTrackingKey.NFT_CT_SRC_IP6 or NftTrackingKey.NFT_CT_DST_IP6 => 16,
        NftTrackingKey.NFT_CT_SRC or NftTrackingKey.NFT_CT_DST => family switch { NetfilterFamily.NFPROTO_IPV4 => 4, NetfilterFamily.NFPROTO_UNSPEC => 0, _ => 16 },
        _ => 4,
    };

    private FilterStep LoadTuple(ref FilterPacket packet, in FlowTuple tuple)
    {
        Span<byte> value = stackalloc byte[16];
        switch (_key)
        {
            case NftTrackingKey.NFT_CT_PROTO_SRC or NftTrackingKey.NFT_CT_PROTO_DST:
                System.Buffers.Binary.BinaryPrimitives.WriteUInt16BigEndian(value, _key == NftTrackingKey.NFT_CT_PROTO_SRC ? tuple.SourcePort : tuple.DestinationPort);
                value = value[..2];
                break;
            default:
                IpAddress address = _key is NftTrackingKey.NFT_CT_SRC or NftTrackingKey.NFT_CT_SRC_IP or NftTrackingKey.NFT_CT_SRC_IP6 ? tuple.Source : tuple.Destination;
                bool fits = _key switch
                {
                    NftTrackingKey.NFT_CT_SRC_IP or NftTrackingKey.NFT_CT_DST_IP => address.IsV4,
                    NftTrackingKey.NFT_CT_SRC_IP6 or NftTrackingKey.NFT_CT_DST_IP6 => !address.IsV4,
                    _ => true,
                };
                if (!fits)
                {
                    return FilterStep.Break;
                }

                address.WriteTo(value);
                value = value[..address.Length];
                break;
        }

        NftRegister.Store(ref packet.Registers, _register, value);
        return FilterStep.Continue;
    }

    private FilterStep LoadNumber(ref FilterPacket packet, TrackedFlow flow)
    {
        NftRegister.Store(ref packet.Registers, _register, _key switch
        {
            NftTrackingKey.NFT_CT_DIRECTION => packet.Packet.IsFlowReply ? 1u : 0,
            NftTrackingKey.NFT_CT_STATUS => (uint)flow.Status,
            NftTrackingKey.NFT_CT_MARK => flow.Mark,
            NftTrackingKey.NFT_CT_EXPIRATION => (uint)Math.Clamp((flow.ExpiresNs - packet.Stack.Host.NowNs) / Millisecond, 0, uint.MaxValue),
            NftTrackingKey.NFT_CT_L3PROTOCOL => (uint)(packet.IsV6 ? NetfilterFamily.NFPROTO_IPV6 : NetfilterFamily.NFPROTO_IPV4),
            NftTrackingKey.NFT_CT_PROTOCOL => (uint)flow.Original.Protocol,
            NftTrackingKey.NFT_CT_ID => flow.Id,
            _ => 0, // there is one zone
        });
        return FilterStep.Continue;
    }
}
