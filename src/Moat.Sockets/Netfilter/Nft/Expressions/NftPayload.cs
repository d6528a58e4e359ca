using Moat.Linux;
using Moat.Netstack.Filter;
using Moat.Netstack.Packets;
using Moat.Sockets.Netlink;

namespace Moat.Sockets.Netfilter.Nft.Expressions;

/// <summary><c>payload</c>: loads bytes of the packet into a register.</summary>
internal sealed class NftPayload : NftExpression
{
    private const ushort NFTA_PAYLOAD_DREG = 1;
    private const ushort NFTA_PAYLOAD_BASE = 2;
    private const ushort NFTA_PAYLOAD_OFFSET = 3;
    private const ushort NFTA_PAYLOAD_LEN = 4;
    private const ushort NFTA_PAYLOAD_SREG = 5;
    private const uint LinkHeader = 0;
    private const uint NetworkHeader = 1;
    private const uint TransportHeader = 2;

    private readonly int _register;
    private readonly uint _base;
    private readonly int _offset;
    private readonly int _length;

    private NftPayload(int register, uint from, int offset, int length) => (_register, _base, _offset, _length) = (register, from, offset, length);

    /// <inheritdoc/>
    public override string Name => "payload";

    /// <summary>Reads it.</summary>
    /// <returns>EINVAL, ERANGE; EOPNOTSUPP for what writes to the packet.</returns>
    public static Result<NftExpression> Parse(AttributeReader attributes)
    {
        if (attributes.Has(NFTA_PAYLOAD_SREG))
        {
            return Errno.EOPNOTSUPP;
        }

        Errno errno = attributes.Read(NFTA_PAYLOAD_BASE, out uint? from);
        uint? at = null;
        uint? count = null;
        errno = errno != Errno.None ? errno : attributes.Read(NFTA_PAYLOAD_OFFSET, out at);
        errno = errno != Errno.None ? errno : attributes.Read(NFTA_PAYLOAD_LEN, out count);
        if (errno != Errno.None || from is null || at is null || count is null or 0)
        {
            return errno != Errno.None ? errno : Errno.EINVAL;
        }

        if (at > byte.MaxValue || count > byte.MaxValue)
        {
            return Errno.ERANGE;
        }

        if (from > TransportHeader)
        {
            return Errno.EOPNOTSUPP;
        }

        return NftRegister.Read(attributes, NFTA_PAYLOAD_DREG, (int)count).TryGet(out int register, out errno) ? new NftPayload(register, from.Value, (int)at, (int)count) : errno;
    }

    /// <inheritdoc/>
    public override FilterStep Evaluate(ref FilterPacket packet)
    {
        Span<byte> room = packet.Registers.Bytes(_register, (_length + 3) & ~3);
        room.Clear();
        bool isRead = _base switch
        {
            NetworkHeader => packet.TryRead(_offset, room[.._length]),
            TransportHeader => packet.TryRead(packet.TransportOffset + _offset, room[.._length]),
            _ => TryReadLink(packet.Packet, packet.Input is not null, room[.._length]),
        };
        return isRead ? FilterStep.Continue : FilterStep.Break;
    }

    /// <inheritdoc/>
    public override void Write(NetlinkWriter writer, bool reset)
    {
        NftRegister.Put(writer, NFTA_PAYLOAD_DREG, _register);
        writer.PutBig(NFTA_PAYLOAD_BASE, _base);
        writer.PutBig(NFTA_PAYLOAD_OFFSET, (uint)_offset);
        writer.PutBig(NFTA_PAYLOAD_LEN, (uint)_length);
    }

    // Only what came in through a link with headers has one.
    private bool TryReadLink(Packet packet, bool hasComeIn, Span<byte> room)
    {
        int start = packet.LinkHeader;
        if (start < 0 || !hasComeIn || start >= packet.Start || _offset + _length > packet.Start - start)
        {
            return false;
        }

        packet.LinearFrom(start).Slice(_offset, _length).CopyTo(room);
        return true;
    }
}
