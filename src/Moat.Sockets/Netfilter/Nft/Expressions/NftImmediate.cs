using Moat.Linux;
using Moat.Netstack.Filter;
using Moat.Sockets.Netlink;

namespace Moat.Sockets.Netfilter.Nft.Expressions;

/// <summary><c>immediate</c>: puts a value into a register, or gives a verdict.</summary>
internal sealed class NftImmediate : NftExpression
{
    private const ushort NFTA_IMMEDIATE_DREG = 1;
    private const ushort NFTA_IMMEDIATE_DATA = 2;

    private readonly int _register;
    private readonly NftData _data;

    private NftImmediate(int register, NftData data) => (_register, _data) = (register, data);

    /// <inheritdoc/>
    public override string Name => "immediate";

    /// <inheritdoc/>
    public override NftChainIdentity? Target => _data.Target;

    /// <summary>Reads it.</summary>
    /// <returns>EINVAL, ERANGE; ENOENT for a chain that is not there.</returns>
    public static Result<NftExpression> Parse(AttributeReader attributes, NftTable table)
    {
        Errno errno = attributes.Read(NFTA_IMMEDIATE_DREG, out uint? number);
        if (errno != Errno.None || number is null || !attributes.Has(NFTA_IMMEDIATE_DATA))
        {
            return errno != Errno.None ? errno : Errno.EINVAL;
        }

        if (!NftData.Read(attributes.Nest(NFTA_IMMEDIATE_DATA), table).TryGet(out NftData data, out errno))
        {
            return errno;
        }

        if (number == NftRegister.Verdict || data.Value is null)
        {
            return number == NftRegister.Verdict && data.Value is null ? new NftImmediate(0, data) : Errno.EINVAL;
        }

        return NftRegister.Read(attributes, NFTA_IMMEDIATE_DREG, data.Value.Length).TryGet(out int register, out errno) ? new NftImmediate(register, data) : errno;
    }

    /// <inheritdoc/>
    public override FilterStep Evaluate(ref FilterPacket packet)
    {
        if (_data.Value is { } value)
        {
            NftRegister.Store(ref packet.Registers, _register, value);
            return FilterStep.Continue;
        }

        packet.Target = _data.Target;
        return _data.Step;
    }

    /// <inheritdoc/>
    public override void Write(NetlinkWriter writer, bool reset)
    {
        if (_data.Value is { } value)
        {
            NftRegister.Put(writer, NFTA_IMMEDIATE_DREG, _register);
            NftData.Put(writer, NFTA_IMMEDIATE_DATA, value);
        }
        else
        {
            writer.PutBig(NFTA_IMMEDIATE_DREG, NftRegister.Verdict);
            NftData.Put(writer, NFTA_IMMEDIATE_DATA, _data.Step, _data.Target);
        }
    }
}
