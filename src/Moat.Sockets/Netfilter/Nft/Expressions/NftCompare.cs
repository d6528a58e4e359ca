using Moat.Linux;
using Moat.Netstack.Filter;
using Moat.Sockets.Netlink;

namespace Moat.Sockets.Netfilter.Nft.Expressions;

/// <summary><c>cmp</c>: compares a register with a value, as numbers in network order.</summary>
internal sealed class NftCompare : NftExpression
{
    private const ushort NFTA_CMP_SREG = 1;
    private const ushort NFTA_CMP_OP = 2;
    private const ushort NFTA_CMP_DATA = 3;

    private readonly int _register;
    private readonly uint _operation;
    private readonly byte[] _value;

    private NftCompare(int register, uint operation, byte[] value) => (_register, _operation, _value) = (register, operation, value);

    /// <inheritdoc/>
    public override string Name => "cmp";

    /// <summary>Reads it.</summary>
    public static Result<NftExpression> Parse(AttributeReader attributes)
    {
        const uint LastOperation = 5; // NFT_CMP_GTE
        Errno errno = attributes.Read(NFTA_CMP_OP, out uint? operation);
        if (errno != Errno.None || operation is null or > LastOperation || !attributes.Has(NFTA_CMP_DATA))
        {
            return errno != Errno.None ? errno : Errno.EINVAL;
        }

        if (!NftData.ReadValue(attributes.Nest(NFTA_CMP_DATA)).TryGet(out byte[]? value, out errno))
        {
            return errno;
        }

        return NftRegister.Read(attributes, NFTA_CMP_SREG, value.Length).TryGet(out int register, out errno) ? new NftCompare(register, operation.Value, value) : errno;
    }

    /// <inheritdoc/>
    public override FilterStep Evaluate(ref FilterPacket packet)
    {
        int order = NftElements.Compare(packet.Registers.Bytes(_register, _value.Length), _value);
        bool matches = _operation switch
        {
            0 => order == 0,
            1 => order != 0,
            2 => order < 0,
            3 => order <= 0,
            4 => order > 0,
            _ => order >= 0,
        };
        return matches ? FilterStep.Continue : FilterStep.Break;
    }

    /// <inheritdoc/>
    public override void Write(NetlinkWriter writer, bool reset)
    {
        NftRegister.Put(writer, NFTA_CMP_SREG, _register);
        writer.PutBig(NFTA_CMP_OP, _operation);
        NftData.Put(writer, NFTA_CMP_DATA, _value);
    }
}
