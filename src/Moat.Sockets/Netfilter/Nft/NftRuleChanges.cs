using Moat.Linux;
using Moat.Sockets.Netfilter.Nft.Expressions;
using Moat.Sockets.Netlink;

namespace Moat.Sockets.Netfilter.Nft;

/// <summary>Messages about rules.</summary>
internal static class NftRuleChanges
{
    public const ushort NFTA_RULE_TABLE = 1;
    public const ushort NFTA_RULE_CHAIN = 2;
    public const ushort NFTA_RULE_HANDLE = 3;
    public const ushort NFTA_RULE_EXPRESSIONS = 4;
    public const ushort NFTA_RULE_COMPAT = 5;
    public const ushort NFTA_RULE_POSITION = 6;
    public const ushort NFTA_RULE_USERDATA = 7;
    public const ushort NFTA_RULE_ID = 9;
    public const ushort NFTA_RULE_POSITION_ID = 10;
    public const ushort NFTA_RULE_CHAIN_ID = 11;

    private const int NFTA_RULE_COMPAT_PROTO = 1;
    private const int NFTA_RULE_COMPAT_FLAGS = 2;
    private const uint InvertedProtocol = 2;
    private const int MaxRules = 32_768; // of a chain

    /// <summary>NFT_MSG_NEWRULE.</summary>
    public static Errno Add(NftTransaction transaction, in NftRequest request)
    {
        if (!transaction.FindTable(request, NFTA_RULE_TABLE).TryGet(out NftTable? table, out Errno errno) || !FindChain(transaction, request, table).TryGet(out NftChain? chain, out errno))
        {
            return errno;
        }

        errno = FindPlace(transaction, request, chain, out int place, out bool replaces);
        if (errno != Errno.None)
        {
            return errno;
        }

        errno = ReadProtocol(request.Attributes, out byte protocol);
        if (errno != Errno.None)
        {
            return errno;
        }

        errno = request.Attributes.Read(NFTA_RULE_ID, out uint? id);
        ReadOnlySpan<byte> userData = request.Attributes.Bytes(NFTA_RULE_USERDATA);
        if (errno != Errno.None || userData.Length > NftNames.MaxUserData || chain.Rules.Count >= MaxRules)
        {
            return errno != Errno.None ? errno : userData.Length > NftNames.MaxUserData ? Errno.EINVAL : Errno.ENOMEM;
        }

        ulong handle = table.NextHandle();
        if (!NftExpressions.Parse(request.Attributes.Bytes(NFTA_RULE_EXPRESSIONS), table, protocol).TryGet(out NftExpression[]? expressions, out errno))
        {
            return errno;
        }

        NftRule rule = new(handle, expressions, userData.ToArray(), id ?? 0);
        List<NftRule> rules = chain.ChangeRules();
        if (replaces)
        {
            table.RemoveBoundTo(rules[place]);
            rules[place] = rule;
        }
        else
        {
            rules.Insert(place, rule);
        }

        table.Touch();
        return Errno.None;
    }

    /// <summary>NFT_MSG_DELRULE: one, or all of a chain, a table or a family.</summary>
    public static Errno Remove(NftTransaction transaction, in NftRequest request)
    {
        AttributeReader attributes = request.Attributes;
        if (!transaction.FindTable(request, NFTA_RULE_TABLE).TryGet(out NftTable? table, out Errno errno))
        {
            return errno;
        }

        if (!attributes.Has(NFTA_RULE_CHAIN))
        {
            foreach (NftChain other in table.Chains)
            {
                NftChainChanges.Clear(table, other);
            }

            return Errno.None;
        }

        if (!FindChain(transaction, request, table).TryGet(out NftChain? chain, out errno))
        {
            return errno;
        }

        errno = attributes.Read(NFTA_RULE_HANDLE, out ulong? handle);
        uint? id = null;
        errno = errno != Errno.None ? errno : attributes.Read(NFTA_RULE_ID, out id);
        if (errno != Errno.None)
        {
            return errno;
        }

        if (handle is null && id is null)
        {
            NftChainChanges.Clear(table, chain);
            return Errno.None;
        }

        int place = handle is not null ? IndexOf(chain, rule => rule.Handle == handle) : IndexOf(chain, rule => rule.Id == id && id != 0);
        if (place < 0)
        {
            return transaction.Fail(request, handle is not null ? NFTA_RULE_HANDLE : NFTA_RULE_ID, Errno.ENOENT);
        }

        table.RemoveBoundTo(chain.Rules[place]);
        chain.ChangeRules().RemoveAt(place);
        table.Touch();
        return Errno.None;
    }

    private static Result<NftChain> FindChain(NftTransaction transaction, in NftRequest request, NftTable table)
    {
        if (request.Attributes.Has(NFTA_RULE_CHAIN))
        {
            return NftChainChanges.Find(transaction, request, table, NFTA_RULE_CHAIN, 0);
        }

        Errno errno = request.Attributes.Read(NFTA_RULE_CHAIN_ID, out uint? id);
        if (errno != Errno.None || id is null)
        {
            return errno != Errno.None ? errno : Errno.EINVAL;
        }

        return table.Chains.Find(candidate => candidate.Id == id && id != 0) is { } chain ? chain : transaction.Fail(request, NFTA_RULE_CHAIN_ID, Errno.ENOENT);
    }

    // Where a rule goes: in the place of one, behind or before one, at the end or at the beginning.
    private static Errno FindPlace(NftTransaction transaction, in NftRequest request, NftChain chain, out int place, out bool replaces)
    {
        AttributeReader attributes = request.Attributes;
        bool appends = request.Has(NetlinkFlags.NLM_F_APPEND);
        place = appends ? chain.Rules.Count : 0;
        replaces = false;
        Errno errno = attributes.Read(NFTA_RULE_HANDLE, out ulong? handle);
        ulong? position = null;
        uint? positionId = null;
        errno = errno != Errno.None ? errno : attributes.Read(NFTA_RULE_POSITION, out position);
        errno = errno != Errno.None ? errno : attributes.Read(NFTA_RULE_POSITION_ID, out positionId);
        if (errno != Errno.None)
        {
            return errno;
        }

        if (handle is not null)
        {
            place = IndexOf(chain, rule => rule.Handle == handle);
            replaces = request.Has(NetlinkFlags.NLM_F_REPLACE);
            return place < 0 ? transaction.Fail(request, NFTA_RULE_HANDLE, Errno.ENOENT)
                : request.Has(NetlinkFlags.NLM_F_EXCL) ? transaction.Fail(request, NFTA_RULE_HANDLE, Errno.EEXIST)
                : replaces ? Errno.None : Errno.EOPNOTSUPP;
        }

        if (!request.Has(NetlinkFlags.NLM_F_CREATE) || request.Has(NetlinkFlags.NLM_F_REPLACE))
        {
            return Errno.EINVAL;
        }

        if (position is not null || positionId is not null)
        {
            int found = position is not null ? IndexOf(chain, rule => rule.Handle == position) : IndexOf(chain, rule => rule.Id == positionId && positionId != 0);
            if (found < 0)
            {
                return transaction.Fail(request, position is not null ? NFTA_RULE_POSITION : NFTA_RULE_POSITION_ID, Errno.ENOENT);
            }

            place = appends ? found + 1 : found;
        }

        return Errno.None;
    }

    private static Errno ReadProtocol(AttributeReader attributes, out byte protocol)
    {
        protocol = 0;
        if (!attributes.Has(NFTA_RULE_COMPAT))
        {
            return Errno.None;
        }

        AttributeReader compat = attributes.Nest(NFTA_RULE_COMPAT);
        Errno errno = compat.Read(NFTA_RULE_COMPAT_PROTO, out uint? number);
        uint? flags = null;
        errno = errno != Errno.None ? errno : compat.Read(NFTA_RULE_COMPAT_FLAGS, out flags);
        if (errno != Errno.None || number is null || flags is null || (flags & ~InvertedProtocol) != 0 || number > ushort.MaxValue)
        {
            return errno != Errno.None ? errno : Errno.EINVAL;
        }

        protocol = flags == 0 ? (byte)number.Value : (byte)0;
        return Errno.None;
    }

    private static int IndexOf(NftChain chain, Predicate<NftRule> isWanted)
    {
        for (int i = 0; i < chain.Rules.Count; i++)
        {
            if (isWanted(chain.Rules[i]))
            {
                return i;
            }
        }

        return -1;
    }
}
