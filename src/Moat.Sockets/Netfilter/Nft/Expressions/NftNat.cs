using System.Buffers.Binary;
using Moat.Linux;
using Moat.Netstack.Filter;
using Moat.Netstack.Filter.Nat;
using Moat.Netstack.Wire;
using Moat.Sockets.Netlink;

namespace Moat.Sockets.Netfilter.Nft.Expressions;

/// <summary><c>nat</c>, <c>masq</c> and <c>redir</c>: set how the connection's addresses are changed.</summary>
internal sealed class NftNat : NftExpression
{
    private const ushort NFTA_NAT_TYPE = 1;
    private const ushort NFTA_NAT_FAMILY = 2;
    private const ushort NFTA_NAT_REG_ADDR_MIN = 3;
    private const ushort NFTA_NAT_REG_ADDR_MAX = 4;
    private const ushort NFTA_NAT_REG_PROTO_MIN = 5;
    private const ushort NFTA_NAT_REG_PROTO_MAX = 6;
    private const ushort NFTA_NAT_FLAGS = 7;
    private const ushort NFTA_MASQ_FLAGS = 1;
    private const ushort NFTA_MASQ_REG_PROTO_MIN = 2;
    private const ushort NFTA_REDIR_REG_PROTO_MIN = 1;
    private const ushort NFTA_REDIR_FLAGS = 3;
    private const uint KnownFlags = 0x7f;
    private const int None = -1;

    private readonly NatKind _kind;
    private readonly NatFlags _flags;
    private readonly NetfilterFamily _family;
    private readonly int _addressMin;
    private readonly int _addressMax;
    private readonly int _portMin;
    private readonly int _portMax;

    private NftNat(NatKind kind, NatFlags flags, NetfilterFamily family, int addressMin, int addressMax, int portMin, int portMax) =>
        (_kind, _flags, _family, _addressMin, _addressMax, _portMin, _portMax) = (kind, flags, family, addressMin, addressMax, portMin, portMax);

    /// <inheritdoc/>
    public override string Name => _kind switch { NatKind.Masquerade => "masq", NatKind.Redirect => "redir", _ => "nat" };

    /// <inheritdoc/>
    public override bool NeedsTracking => true;

    /// <summary>Reads <c>nat</c>.</summary>
    public static Result<NftExpression> ParseNat(AttributeReader attributes, NftTable table)
    {
        Errno errno = attributes.Read(NFTA_NAT_TYPE, out uint? type);
        uint? family = null;
        errno = errno != Errno.None ? errno : attributes.Read(NFTA_NAT_FAMILY, out family);
        bool hasAddress = attributes.Has(NFTA_NAT_REG_ADDR_MIN);
        bool hasPort = attributes.Has(NFTA_NAT_REG_PROTO_MIN);
        if (errno != Errno.None || type is null || family is null || (!hasAddress && !hasPort))
        {
            return errno != Errno.None ? errno : Errno.EINVAL;
        }

        NetfilterFamily of = (NetfilterFamily)family.Value;
        if (type > 1 || (table.Family != NetfilterFamily.NFPROTO_INET && of != table.Family))
        {
            return type > 1 ? Errno.EINVAL : Errno.EOPNOTSUPP;
        }

        int length = of switch { NetfilterFamily.NFPROTO_IPV4 => 4, NetfilterFamily.NFPROTO_IPV6 => 16, _ => 0 };
        if (length == 0 && hasAddress)
        {
            return Errno.EAFNOSUPPORT;
        }

        errno = ReadPair(attributes, NFTA_NAT_REG_ADDR_MIN, NFTA_NAT_REG_ADDR_MAX, length, out int addressMin, out int addressMax);
        if (errno == Errno.None)
        {
            errno = ReadRest(attributes, NFTA_NAT_REG_PROTO_MIN, NFTA_NAT_REG_PROTO_MAX, NFTA_NAT_FLAGS, out NatFlags flags, out int portMin, out int portMax);
            flags |= hasAddress ? NatFlags.Addresses : 0;
            return errno != Errno.None ? errno : new NftNat(type == 0 ? NatKind.Source : NatKind.Destination, flags, of, addressMin, addressMax, portMin, portMax);
        }

        return errno;
    }

    /// <summary>Reads <c>masq</c>.</summary>
    public static Result<NftExpression> ParseMasquerade(AttributeReader attributes, NftTable table) => ParseSimple(attributes, table, NatKind.Masquerade, NFTA_MASQ_REG_PROTO_MIN, NFTA_MASQ_FLAGS);

    /// <summary>Reads <c>redir</c>.</summary>
    public static Result<NftExpression> ParseRedirect(AttributeReader attributes, NftTable table) => ParseSimple(attributes, table, NatKind.Redirect, NFTA_REDIR_REG_PROTO_MIN, NFTA_REDIR_FLAGS);

    /// <inheritdoc/>
    public override FilterStep Evaluate(ref FilterPacket packet)
    {
        bool isOfFamily = _family switch { NetfilterFamily.NFPROTO_IPV4 => !packet.IsV6, NetfilterFamily.NFPROTO_IPV6 => packet.IsV6, _ => true };
        if (!isOfFamily)
        {
            return FilterStep.Break;
        }

        int length = packet.IsV6 ? 16 : 4;
        IpAddress min = _addressMin == None ? default : IpAddress.FromBytes(packet.Registers.Bytes(_addressMin, length));
        IpAddress max = _addressMin == None ? default : IpAddress.FromBytes(packet.Registers.Bytes(_addressMax, length));
        ushort first = _portMin == None ? (ushort)0 : BinaryPrimitives.ReadUInt16BigEndian(packet.Registers.Bytes(_portMin, 2));
        ushort last = _portMin == None ? (ushort)0 : BinaryPrimitives.ReadUInt16BigEndian(packet.Registers.Bytes(_portMax, 2));
        return NatAction.Apply(ref packet, _kind, new NatRange(_flags, min, max, first, last));
    }

    /// <inheritdoc/>
    public override Errno Validate(NftHook hook)
    {
        if (hook.Kind != FilterChainKind.Nat)
        {
            return Errno.EOPNOTSUPP;
        }

        bool isAllowed = _kind switch
        {
            NatKind.Source => hook.Hook is FilterHook.Postrouting or FilterHook.Input,
            NatKind.Masquerade => hook.Hook == FilterHook.Postrouting,
            _ => hook.Hook is FilterHook.Prerouting or FilterHook.Output,
        };
        return isAllowed ? Errno.None : Errno.EOPNOTSUPP;
    }

    /// <inheritdoc/>
    public override void Write(NetlinkWriter writer, bool reset)
    {
        uint flags = (uint)_flags;
        switch (_kind)
        {
            case NatKind.Masquerade or NatKind.Redirect:
                bool isMasquerade = _kind == NatKind.Masquerade;
                ushort ports = isMasquerade ? NFTA_MASQ_REG_PROTO_MIN : NFTA_REDIR_REG_PROTO_MIN;
                if (isMasquerade && flags != 0)
                {
                    writer.PutBig(NFTA_MASQ_FLAGS, flags);
                }

                PutPair(writer, ports, (ushort)(ports + 1), _portMin, _portMax);
                if (!isMasquerade && flags != 0)
                {
                    writer.PutBig(NFTA_REDIR_FLAGS, flags);
                }

                break;
            default:
                writer.PutBig(NFTA_NAT_TYPE, _kind == NatKind.Source ? 0u : 1);
                writer.PutBig(NFTA_NAT_FAMILY, (uint)_family);
                PutPair(writer, NFTA_NAT_REG_ADDR_MIN, NFTA_NAT_REG_ADDR_MAX, _addressMin, _addressMax);
                PutPair(writer, NFTA_NAT_REG_PROTO_MIN, NFTA_NAT_REG_PROTO_MAX, _portMin, _portMax);
                if (flags != 0)
                {
                    writer.PutBig(NFTA_NAT_FLAGS, flags);
                }

                break;
        }
    }

    private static Result<NftExpression> ParseSimple(AttributeReader attributes, NftTable table, NatKind kind, int portMin, int flagsType)
    {
        Errno errno = ReadRest(attributes, portMin, portMin + 1, flagsType, out NatFlags flags, out int min, out int max);
        return errno != Errno.None ? errno : new NftNat(kind, flags, table.Family, None, None, min, max);
    }

    private static Errno ReadRest(AttributeReader attributes, int portMin, int portMax, int flagsType, out NatFlags flags, out int min, out int max)
    {
        flags = default;
        Errno errno = ReadPair(attributes, portMin, portMax, sizeof(ushort), out min, out max);
        uint? given = null;
        errno = errno != Errno.None ? errno : attributes.Read(flagsType, out given);
        if (errno != Errno.None || (given & ~KnownFlags) is > 0)
        {
            return errno != Errno.None ? errno : Errno.EOPNOTSUPP;
        }

        flags = (NatFlags)(given ?? 0) | (min == None ? 0 : NatFlags.Ports);
        return Errno.None;
    }

    private static Errno ReadPair(AttributeReader attributes, int minType, int maxType, int length, out int min, out int max)
    {
        min = max = None;
        if (!attributes.Has(minType))
        {
            return Errno.None;
        }

        if (!NftRegister.Read(attributes, minType, length).TryGet(out min, out Errno errno))
        {
            return errno;
        }

        max = min;
        return !attributes.Has(maxType) || NftRegister.Read(attributes, maxType, length).TryGet(out max, out errno) ? Errno.None : errno;
    }

    private static void PutPair(NetlinkWriter writer, ushort minType, ushort maxType, int min, int max)
    {
        if (min != None)
        {
            NftRegister.Put(writer, minType, min);
            NftRegister.Put(writer, maxType, max);
        }
    }
}
