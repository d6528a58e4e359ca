using Moat.Linux;
using Moat.Netstack.Filter;
using Moat.Sockets.Netlink;

namespace Moat.Sockets.Netfilter.Nft.Expressions;

/// <summary><c>range</c>: whether a register is between two values.</summary>
internal sealed class NftRange : NftExpression
{
    private const ushort NFTA_RANGE_SREG = 1;
    private const ushort NFTA_RANGE_OP = 2;
    private const ushort NFTA_RANGE_FROM_DATA = 3;
    private const ushort NFTA_RANGE_TO_DATA = 4;

    private readonly int _register;
    private readonly bool _isInverted;
    private readonly byte[] _from;
    private readonly byte[] _to;

    private NftRange(int register, bool isInverted, byte[] from, byte[] to) => (_register, _isInverted, _from, _to) = (register, isInverted, from, to);

    /// <inheritdoc/>
    public override string Name => "range";

    /// <summary>Reads it.</summary>
    public static Result<NftExpression> Parse(AttributeReader attributes)
    {
        Errno errno = attributes.Read(NFTA_RANGE_OP, out uint? operation);
        if (errno != Errno.None || operation is null or > 1)
        {
            return errno != Errno.None ? errno : Errno.EINVAL;
        }

        if (!NftData.ReadValue(attributes.Nest(NFTA_RANGE_FROM_DATA)).TryGet(out byte[]? from, out errno)
            || !NftData.ReadValue(attributes.Nest(NFTA_RANGE_TO_DATA)).TryGet(out byte[]? to, out errno))
        {
            return errno;
        }

        if (from.Length != to.Length)
        {
            return Errno.EINVAL;
        }

        return NftRegister.Read(attributes, NFTA_RANGE_SREG, from.Length).TryGet(out int register, out errno) ? new NftRange(register, operation == 1, from, to) : errno;
    }

    /// <inheritdoc/>
    public override FilterStep Evaluate(ref FilterPacket packet)
    {
        ReadOnlySpan<byte> value = packet.Registers.Bytes(_register, _from.Length);
        bool isInside = NftElements.Compare(value, _from) >= 0 && NftElements.Compare(value, _to) <= 0;
        return isInside != _isInverted ? FilterStep.Continue : FilterStep.Break;
    }

    /// <inheritdoc/>
    public override void Write(NetlinkWriter writer, bool reset)
    {
        NftRegister.Put(writer, NFTA_RANGE_SREG, _register);
        writer.PutBig(NFTA_RANGE_OP, _isInverted ? 1u : 0);
        NftData.Put(writer, NFTA_RANGE_FROM_DATA, _from);
        NftData.Put(writer, NFTA_RANGE_TO_DATA, _to);
    }
}
