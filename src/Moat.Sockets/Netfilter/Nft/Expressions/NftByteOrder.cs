using Moat.Linux;
using Moat.Netstack.Filter;
using Moat.Sockets.Netlink;

namespace Moat.Sockets.Netfilter.Nft.Expressions;

/// <summary><c>byteorder</c>: turns the bytes of numbers in a register round.</summary>
internal sealed class NftByteOrder : NftExpression
{
    private const ushort NFTA_BYTEORDER_SREG = 1;
    private const ushort NFTA_BYTEORDER_DREG = 2;
    private const ushort NFTA_BYTEORDER_OP = 3;
    private const ushort NFTA_BYTEORDER_LEN = 4;
    private const ushort NFTA_BYTEORDER_SIZE = 5;

    private readonly int _from;
    private readonly int _to;
    private readonly uint _operation;
    private readonly int _length;
    private readonly int _size;

    private NftByteOrder(int from, int to, uint operation, int length, int size) => (_from, _to, _operation, _length, _size) = (from, to, operation, length, size);

    /// <inheritdoc/>
    public override string Name => "byteorder";

    /// <summary>Reads it.</summary>
    public static Result<NftExpression> Parse(AttributeReader attributes)
    {
        Errno errno = attributes.Read(NFTA_BYTEORDER_OP, out uint? operation);
        uint? length = null;
        uint? size = null;
        errno = errno != Errno.None ? errno : attributes.Read(NFTA_BYTEORDER_LEN, out length);
        errno = errno != Errno.None ? errno : attributes.Read(NFTA_BYTEORDER_SIZE, out size);
        if (errno != Errno.None || operation is null or > 1 || size is not (2 or 4 or 8) || length is null or 0)
        {
            return errno != Errno.None ? errno : Errno.EINVAL;
        }

        if (length > byte.MaxValue)
        {
            return Errno.ERANGE;
        }

        int count = (int)length.Value;
        return NftRegister.Read(attributes, NFTA_BYTEORDER_SREG, count).TryGet(out int from, out errno) && NftRegister.Read(attributes, NFTA_BYTEORDER_DREG, count).TryGet(out int to, out errno)
            ? new NftByteOrder(from, to, operation.Value, count, (int)size.Value)
            : errno;
    }

    /// <inheritdoc/>
    public override FilterStep Evaluate(ref FilterPacket packet)
    {
        Span<byte> result = stackalloc byte[NftData.MaxLength];
        result = result[.._length];
        packet.Registers.Bytes(_from, _length).CopyTo(result);
        for (int at = 0; at + _size <= _length; at += _size)
        {
            result.Slice(at, _size).Reverse();
        }

        NftRegister.Store(ref packet.Registers, _to, result);
        return FilterStep.Continue;
    }

    /// <inheritdoc/>
    public override void Write(NetlinkWriter writer, bool reset)
    {
        NftRegister.Put(writer, NFTA_BYTEORDER_SREG, _from);
        NftRegister.Put(writer, NFTA_BYTEORDER_DREG, _to);
        writer.PutBig(NFTA_BYTEORDER_OP, _operation);
        writer.PutBig(NFTA_BYTEORDER_LEN, (uint)_length);
        writer.PutBig(NFTA_BYTEORDER_SIZE, (uint)_size);
    }
}
