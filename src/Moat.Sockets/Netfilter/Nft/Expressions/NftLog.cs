using Moat.Linux;
using Moat.Netstack.Filter;
using Moat.Sockets.Netlink;

namespace Moat.Sockets.Netfilter.Nft.Expressions;

/// <summary><c>log</c>: in a network namespace that is not the host's, Linux writes nothing (nf_log_all_netns); neither does the sandbox.</summary>
internal sealed class NftLog : NftExpression
{
    private const ushort NFTA_LOG_GROUP = 1;
    private const ushort NFTA_LOG_PREFIX = 2;
    private const ushort NFTA_LOG_SNAPLEN = 3;
    private const ushort NFTA_LOG_QTHRESHOLD = 4;
    private const ushort NFTA_LOG_LEVEL = 5;
    private const ushort NFTA_LOG_FLAGS = 6;
    private const int MaxPrefix = 128;
    private const uint DefaultLevel = 4;
    private const uint LastLevel = 7;

    private readonly string? _prefix;
    private readonly uint _level;
    private readonly uint _flags;

    private NftLog(string? prefix, uint level, uint flags) => (_prefix, _level, _flags) = (prefix, level, flags);

    /// <inheritdoc/>
    public override string Name => "log";

    /// <summary>Reads it.</summary>
    /// <returns>EINVAL, ERANGE; ENOENT for a group, as nothing listens to groups.</returns>
    public static Result<NftExpression> Parse(AttributeReader attributes)
    {
        const uint KnownFlags = 0x3f;
        if (attributes.Has(NFTA_LOG_GROUP))
        {
            return attributes.Has(NFTA_LOG_LEVEL) ? Errno.EINVAL : Errno.ENOENT;
        }

        if (attributes.Has(NFTA_LOG_SNAPLEN) || attributes.Has(NFTA_LOG_QTHRESHOLD))
        {
            return Errno.EINVAL;
        }

        string? prefix = null;
        if (attributes.Has(NFTA_LOG_PREFIX) && attributes.Bytes(NFTA_LOG_PREFIX) is { Length: > 1 })
        {
            Errno invalid = attributes.ReadName(NFTA_LOG_PREFIX, MaxPrefix, out prefix);
            if (invalid != Errno.None)
            {
                return invalid;
            }
        }

        Errno errno = attributes.Read(NFTA_LOG_LEVEL, out uint? level);
        uint? flags = null;
        errno = errno != Errno.None ? errno : attributes.Read(NFTA_LOG_FLAGS, out flags);
        if (errno != Errno.None || level > LastLevel || (flags & ~KnownFlags) is > 0)
        {
            return errno != Errno.None ? errno : Errno.EINVAL;
        }

        return new NftLog(prefix, level ?? DefaultLevel, flags ?? 0);
    }

    /// <inheritdoc/>
    public override FilterStep Evaluate(ref FilterPacket packet) => FilterStep.Continue;

    /// <inheritdoc/>
    public override void Write(NetlinkWriter writer, bool reset)
    {
        if (_prefix is not null)
        {
            writer.Put(NFTA_LOG_PREFIX, _prefix);
        }

        writer.PutBig(NFTA_LOG_LEVEL, _level);
        if (_flags != 0)
        {
            writer.PutBig(NFTA_LOG_FLAGS, _flags);
        }
    }
}
