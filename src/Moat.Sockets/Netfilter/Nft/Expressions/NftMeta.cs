using Moat.Linux;
using Moat.Netstack.Filter;
using Moat.Netstack.Interfaces;
using Moat.Sockets.Inet;
using Moat.Sockets.Netlink;

namespace Moat.Sockets.Netfilter.Nft.Expressions;

/// <summary><c>meta</c>: loads what is known of the packet, or sets its mark.</summary>
internal sealed class NftMeta : NftExpression
{
    private const ushort NFTA_META_DREG = 1;
    private const ushort NFTA_META_KEY = 2;
    private const ushort NFTA_META_SREG = 3;
    private const int NameLength = 16; // IFNAMSIZ

    private readonly NftMetaKey _key;
    private readonly int _register;
    private readonly bool _isSet;

    private NftMeta(NftMetaKey key, int register, bool isSet) => (_key, _register, _isSet) = (key, register, isSet);

    /// <inheritdoc/>
    public override string Name => "meta";

    /// <summary>Reads it.</summary>
    /// <returns>EINVAL, ERANGE; EOPNOTSUPP for a key that is not known.</returns>
    public static Result<NftExpression> Parse(AttributeReader attributes)
    {
        Errno errno = attributes.Read(NFTA_META_KEY, out uint? number);
        bool loads = attributes.Has(NFTA_META_DREG);
        bool sets = attributes.Has(NFTA_META_SREG);
        if (errno != Errno.None || number is null || loads == sets)
        {
            return errno != Errno.None ? errno : Errno.EINVAL;
        }

        NftMetaKey key = (NftMetaKey)number.Value;
        if (!Enum.IsDefined(key) || (sets && key != NftMetaKey.NFT_META_MARK))
        {
            return Errno.EOPNOTSUPP;
        }

        return NftRegister.Read(attributes, sets ? NFTA_META_SREG : NFTA_META_DREG, LengthOf(key)).TryGet(out int register, out errno) ? new NftMeta(key, register, sets) : errno;
    }

    /// <inheritdoc/>
    public override FilterStep Evaluate(ref FilterPacket packet)
    {
        if (_isSet)
        {
            packet.Packet.Mark = packet.Registers[_register];
            return FilterStep.Continue;
        }

        switch (_key)
        {
            case NftMetaKey.NFT_META_IIFNAME or NftMetaKey.NFT_META_OIFNAME:
                return LoadName(ref packet, _key == NftMetaKey.NFT_META_IIFNAME ? packet.Input : packet.Output);
            case NftMetaKey.NFT_META_IIFTYPE or NftMetaKey.NFT_META_OIFTYPE:
                return LoadType(ref packet, _key == NftMetaKey.NFT_META_IIFTYPE ? packet.Input : packet.Output);
            case NftMetaKey.NFT_META_PROTOCOL:
                NftRegister.Store(ref packet.Registers, _register, packet.IsV6 ? [0x86, 0xdd] : [0x08, 0x00]);
                return FilterStep.Continue;
            case NftMetaKey.NFT_META_PRANDOM:
                Span<byte> random = stackalloc byte[sizeof(uint)];
                packet.Stack.Host.Fill(random);
                NftRegister.Store(ref packet.Registers, _register, random);
                return FilterStep.Continue;
        }

        NftRegister.Store(ref packet.Registers, _register, _key switch
        {
            NftMetaKey.NFT_META_LEN => (uint)packet.Length,
            NftMetaKey.NFT_META_MARK => packet.Packet.Mark,
            NftMetaKey.NFT_META_IIF => (uint)(packet.Input?.Index ?? 0),
            NftMetaKey.NFT_META_OIF => (uint)(packet.Output?.Index ?? 0),
            NftMetaKey.NFT_META_NFPROTO => (uint)(packet.IsV6 ? NetfilterFamily.NFPROTO_IPV6 : NetfilterFamily.NFPROTO_IPV4),
            NftMetaKey.NFT_META_L4PROTO => (uint)packet.Protocol,
            NftMetaKey.NFT_META_PKTTYPE => PacketType(ref packet),
            _ => 0, // a priority: nothing sets one
        });
        return FilterStep.Continue;
    }

    /// <inheritdoc/>
    public override void Write(NetlinkWriter writer, bool reset)
    {
        writer.PutBig(NFTA_META_KEY, (uint)_key);
        NftRegister.Put(writer, _isSet ? NFTA_META_SREG : NFTA_META_DREG, _register);
    }

    /// <summary>PACKET_*: how the packet was addressed.</summary>
    public static uint PacketType(ref FilterPacket packet)
    {
        const uint Host = 0;
        const uint Broadcast = 1;
        const uint Multicast = 2;
        const uint Loopback = 5;
        if (packet.Destination.IsMulticast)
        {
            return Multicast;
        }

        return packet.Input is null ? Loopback : packet.Destination == Moat.Netstack.Wire.IpAddress.BroadcastV4 ? Broadcast : Host;
    }

    private static int LengthOf(NftMetaKey key) => key switch
    {
        NftMetaKey.NFT_META_IIFNAME or NftMetaKey.NFT_META_OIFNAME => NameLength,
        NftMetaKey.NFT_META_PROTOCOL or NftMetaKey.NFT_META_IIFTYPE or NftMetaKey.NFT_META_OIFTYPE => sizeof(ushort),
        NftMetaKey.NFT_META_NFPROTO or NftMetaKey.NFT_META_L4PROTO or NftMetaKey.NFT_META_PKTTYPE => 1,
        _ => sizeof(uint),
    };

    private FilterStep LoadName(ref FilterPacket packet, NetworkInterface? of)
    {
        Span<byte> name = packet.Registers.Bytes(_register, NameLength);
        name.Clear();
        if (of is not null)
        {
            _ = System.Text.Encoding.Latin1.GetBytes(of.Name, name);
        }

        return FilterStep.Continue;
    }

    private FilterStep LoadType(ref FilterPacket packet, NetworkInterface? of)
    {
        if (of is null)
        {
            return FilterStep.Break;
        }

        NftRegister.Store(ref packet.Registers, _register, (uint)InterfaceFlags.HardwareTypeOf(of));
        return FilterStep.Continue;
    }
}
