using Moat.Linux;
using Moat.Netstack.Filter;
using Moat.Sockets.Netfilter.Xt;
using Moat.Sockets.Netlink;

namespace Moat.Sockets.Netfilter.Nft.Expressions;

/// <summary><c>match</c> and <c>target</c>: an extension of iptables in a rule of nf_tables (nft_compat).</summary>
internal sealed class NftCompat : NftExpression
{
    private const ushort NFTA_NAME = 1; // NFTA_MATCH_NAME, NFTA_TARGET_NAME
    private const ushort NFTA_REV = 2;
    private const ushort NFTA_INFO = 3;

    private readonly bool _isTarget;
    private readonly string _name;
    private readonly uint _revision;
    private readonly byte[] _info;
    private readonly XtExtension _extension;

    private NftCompat(bool isTarget, string name, uint revision, byte[] info, XtExtension extension) => (_isTarget, _name, _revision, _info, _extension) = (isTarget, name, revision, info, extension);

    /// <inheritdoc/>
    public override string Name => _isTarget ? "target" : "match";

    /// <inheritdoc/>
    public override bool NeedsTracking => _extension.Expression.NeedsTracking;

    /// <summary>Reads it.</summary>
    /// <returns>EINVAL; ENOENT for an extension that is not there.</returns>
    public static Result<NftExpression> Parse(AttributeReader attributes, bool isTarget, NftTable table, byte protocol)
    {
        Errno errno = attributes.ReadName(NFTA_NAME, XtExtensions.NameLength, out string? name);
        uint? revision = null;
        errno = errno != Errno.None ? errno : attributes.Read(NFTA_REV, out revision);
        ReadOnlySpan<byte> info = attributes.Bytes(NFTA_INFO);
        if (errno != Errno.None || name is null || revision is null or > byte.MaxValue || !attributes.Has(NFTA_INFO))
        {
            return errno != Errno.None ? errno : Errno.EINVAL;
        }

        // Standard targets are verdicts in nf_tables.
        if (isTarget && name.Length == 0)
        {
            return Errno.ENOENT;
        }

        XtContext context = new(table.Family, protocol);
        return XtExtensions.Parse(isTarget, name, (byte)revision.Value, info, context).TryGet(out XtExtension? extension, out errno)
            ? new NftCompat(isTarget, name, revision.Value, info.ToArray(), extension)
            : errno;
    }

    /// <inheritdoc/>
    public override FilterStep Evaluate(ref FilterPacket packet) => _extension.Expression.Evaluate(ref packet);

    /// <inheritdoc/>
    public override Errno Validate(NftHook hook)
    {
        if (_extension.NeedsNatChain && hook.Kind != FilterChainKind.Nat)
        {
            return Errno.EINVAL;
        }

        return _extension.AllowsHook(hook.Hook) ? Errno.None : Errno.EINVAL;
    }

    /// <inheritdoc/>
    public override void Write(NetlinkWriter writer, bool reset)
    {
        writer.Put(NFTA_NAME, _name);
        writer.PutBig(NFTA_REV, _revision);
        writer.Put(NFTA_INFO, _info);
    }
}
