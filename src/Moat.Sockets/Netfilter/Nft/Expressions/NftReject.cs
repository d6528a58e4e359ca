using Moat.Linux;
using Moat.Netstack.Filter;
using Moat.Sockets.Netlink;

namespace Moat.Sockets.Netfilter.Nft.Expressions;

/// <summary><c>reject</c>: drops the packet and tells its sender.</summary>
internal sealed class NftReject : NftExpression
{
    private const ushort NFTA_REJECT_TYPE = 1;
    private const ushort NFTA_REJECT_ICMP_CODE = 2;
    private const uint OfFamily = 0;
    private const uint WithReset = 1;
    private const uint OfEither = 2;

    private static readonly byte[] s_codesV4 = [0, 3, 1, 13]; // no route, port, host, prohibited
    private static readonly byte[] s_codesV6 = [0, 4, 3, 1];

    private readonly uint _type;
    private readonly byte _code;
    private readonly Reject _reject;

    private NftReject(uint type, byte code, Reject reject) => (_type, _code, _reject) = (type, code, reject);

    /// <inheritdoc/>
    public override string Name => "reject";

    /// <summary>Reads it.</summary>
    public static Result<NftExpression> Parse(AttributeReader attributes, NftTable table)
    {
        Errno errno = attributes.Read(NFTA_REJECT_TYPE, out uint? type);
        if (errno != Errno.None || type is null)
        {
            return errno != Errno.None ? errno : Errno.EINVAL;
        }

        ReadOnlySpan<byte> code = attributes.Bytes(NFTA_REJECT_ICMP_CODE);
        switch (type)
        {
            case WithReset:
                return new NftReject(WithReset, 0, new Reject(RejectKind.Reset, 0, 0));
            case OfFamily when !code.IsEmpty:
                return new NftReject(OfFamily, code[0], new Reject(RejectKind.Unreachable, code[0], code[0]));
            case OfEither when !code.IsEmpty && table.Family == NetfilterFamily.NFPROTO_INET && code[0] < s_codesV4.Length:
                return new NftReject(OfEither, code[0], new Reject(RejectKind.Unreachable, s_codesV4[code[0]], s_codesV6[code[0]]));
            default:
                return Errno.EINVAL;
        }
    }

    /// <inheritdoc/>
    public override FilterStep Evaluate(ref FilterPacket packet) => _reject.Evaluate(ref packet);

    /// <inheritdoc/>
    public override Errno Validate(NftHook hook) => hook.Hook == FilterHook.Postrouting ? Errno.EOPNOTSUPP : Errno.None;

    /// <inheritdoc/>
    public override void Write(NetlinkWriter writer, bool reset)
    {
        writer.PutBig(NFTA_REJECT_TYPE, _type);
        if (_type != WithReset)
        {
            writer.Put(NFTA_REJECT_ICMP_CODE, _code);
        }
    }
}
