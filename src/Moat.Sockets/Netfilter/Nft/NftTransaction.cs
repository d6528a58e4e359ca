using Moat.Linux;

namespace Moat.Sockets.Netfilter.Nft;

/// <summary>Changes to a version of the ruleset that nobody sees before they are committed.</summary>
internal sealed class NftTransaction(NftRuleset next)
{
    /// <summary>The version that is changed.</summary>
    public NftRuleset Ruleset => next;

    /// <summary>Where in the message that failed last the attribute is that was wrong, or 0.</summary>
    public int BadOffset { get; set; }

    /// <summary>Whether anything was changed.</summary>
    public bool HasChanges { get; private set; }

    /// <summary>Carries out one message.</summary>
    /// <returns>What Linux says.</returns>
    public Errno Apply(in NftRequest request)
    {
        BadOffset = 0;
        Errno errno = request.Type switch
        {
            NftMessage.NFT_MSG_NEWTABLE => NftTableChanges.Add(this, request),
            NftMessage.NFT_MSG_DELTABLE or NftMessage.NFT_MSG_DESTROYTABLE => NftTableChanges.Remove(this, request),
            NftMessage.NFT_MSG_NEWCHAIN => NftChainChanges.Add(this, request),
            NftMessage.NFT_MSG_DELCHAIN or NftMessage.NFT_MSG_DESTROYCHAIN => NftChainChanges.Remove(this, request),
            NftMessage.NFT_MSG_NEWRULE => NftRuleChanges.Add(this, request),
            NftMessage.NFT_MSG_DELRULE or NftMessage.NFT_MSG_DESTROYRULE => NftRuleChanges.Remove(this, request),
            NftMessage.NFT_MSG_NEWSET => NftSetChanges.Add(this, request),
            NftMessage.NFT_MSG_DELSET or NftMessage.NFT_MSG_DESTROYSET => NftSetChanges.Remove(this, request),
            NftMessage.NFT_MSG_NEWSETELEM => NftElementChanges.Add(this, request),
            NftMessage.NFT_MSG_DELSETELEM or NftMessage.NFT_MSG_DESTROYSETELEM => NftElementChanges.Remove(this, request),
            _ => Errno.EOPNOTSUPP, // stateful objects, flow tables
        };
        HasChanges |= errno == Errno.None;
        return request.Type is NftMessage.NFT_MSG_DESTROYTABLE or NftMessage.NFT_MSG_DESTROYCHAIN or NftMessage.NFT_MSG_DESTROYRULE or NftMessage.NFT_MSG_DESTROYSET or NftMessage.NFT_MSG_DESTROYSETELEM
            && errno == Errno.ENOENT ? Errno.None : errno;
    }

    /// <summary>Finds the table that a message names.</summary>
    /// <returns>EINVAL, ERANGE, ENOENT.</returns>
    public Result<NftTable> FindTable(in NftRequest request, int type)
    {
        Errno errno = request.Attributes.ReadName(type, NftNames.MaxLength, out string? name);
        if (errno != Errno.None || name is null)
        {
            return errno != Errno.None ? errno : Errno.EINVAL;
        }

        return next.Find(request.Family, name) is { } table ? table : Fail(request, type, Errno.ENOENT);
    }

    /// <summary>Notes which attribute was wrong.</summary>
    public Errno Fail(in NftRequest request, int type, Errno errno)
    {
        BadOffset = request.OffsetOf(request.Attributes.Bytes(type));
        return errno;
    }
}
