using Moat.Linux;
using Moat.Sockets.Netlink;

namespace Moat.Sockets.Netfilter.Nft;

/// <summary>Requests that show what there is.</summary>
internal static class NftQueries
{
    /// <summary>Shows everything of a kind that a request asks for.</summary>
    public static Errno Dump(in NftRequest request, NftRuleset ruleset, NetlinkWriter answer)
    {
        const NetlinkFlags Several = NetlinkFlags.NLM_F_MULTI;
        uint generation = ruleset.Generation;
        Errno errno = request.Attributes.ReadName(1, NftNames.MaxLength, out string? wantedTable);
        string? wantedName = null;
        errno = errno != Errno.None || request.Type is not (NftMessage.NFT_MSG_GETRULE or NftMessage.NFT_MSG_GETRULE_RESET) ? errno : request.Attributes.ReadName(NftRuleChanges.NFTA_RULE_CHAIN, NftNames.MaxLength, out wantedName);
        if (errno != Errno.None)
        {
            return errno;
        }

        if (request.Type is NftMessage.NFT_MSG_GETSETELEM or NftMessage.NFT_MSG_GETSETELEM_RESET)
        {
            NftTransaction reader = new(ruleset);
            if (!NftElementChanges.Find(reader, request, out NftTable? of).TryGet(out NftSet? set, out errno))
            {
                return errno;
            }

            NftDump.Write(answer, Several, generation, of!, set, set.Elements);
            return Errno.None;
        }

        bool isReset = request.Type == NftMessage.NFT_MSG_GETRULE_RESET;
        foreach (NftTable table in ruleset.Tables)
        {
            if ((request.Family != NetfilterFamily.NFPROTO_UNSPEC && request.Family != table.Family) || (wantedTable is not null && request.Type != NftMessage.NFT_MSG_GETTABLE && wantedTable != table.Name))
            {
                continue;
            }

            switch (request.Type)
            {
                case NftMessage.NFT_MSG_GETTABLE:
                    NftDump.Write(answer, Several, generation, table);
                    break;
                case NftMessage.NFT_MSG_GETCHAIN:
                    table.Chains.ForEach(chain => NftDump.Write(answer, Several, generation, table, chain));
                    break;
                case NftMessage.NFT_MSG_GETSET:
                    table.Sets.ForEach(set => NftDump.Write(answer, Several, generation, table, set));
                    break;
                case NftMessage.NFT_MSG_GETRULE or NftMessage.NFT_MSG_GETRULE_RESET:
                    DumpRules(answer, generation, table, wantedName, isReset);
                    break;
                case NftMessage.NFT_MSG_GETOBJ or NftMessage.NFT_MSG_GETOBJ_RESET or NftMessage.NFT_MSG_GETFLOWTABLE:
                    break; // there are none
                default:
                    return Errno.EOPNOTSUPP;
            }
        }

        return Errno.None;
    }

    /// <summary>Shows one thing.</summary>
    /// <returns>EINVAL, ENOENT.</returns>
    public static Errno Get(in NftRequest request, NftRuleset ruleset, NetlinkWriter answer)
    {
        NftTransaction reader = new(ruleset);
        if (!reader.FindTable(request, 1).TryGet(out NftTable? table, out Errno errno))
        {
            return errno;
        }

        uint generation = ruleset.Generation;
        switch (request.Type)
        {
            case NftMessage.NFT_MSG_GETTABLE:
                NftDump.Write(answer, NetlinkFlags.None, generation, table);
                return Errno.None;
            case NftMessage.NFT_MSG_GETCHAIN:
                if (!NftChainChanges.Find(reader, request, table, NftChainChanges.NFTA_CHAIN_NAME, 0).TryGet(out NftChain? chain, out errno))
                {
                    return errno;
                }

                NftDump.Write(answer, NetlinkFlags.None, generation, table, chain);
                return Errno.None;
            case NftMessage.NFT_MSG_GETSET:
                errno = request.Attributes.ReadName(NftSetChanges.NFTA_SET_NAME, NftNames.MaxLength, out string? name);
                if (errno != Errno.None || name is null || table.FindSet(name) is not { } set)
                {
                    return errno != Errno.None ? errno : name is null ? Errno.EINVAL : Errno.ENOENT;
                }

                NftDump.Write(answer, NetlinkFlags.None, generation, table, set);
                return Errno.None;
            case NftMessage.NFT_MSG_GETRULE or NftMessage.NFT_MSG_GETRULE_RESET:
                return GetRule(reader, request, table, generation, answer);
            case NftMessage.NFT_MSG_GETSETELEM or NftMessage.NFT_MSG_GETSETELEM_RESET:
                return GetElements(reader, request, generation, answer);
            case NftMessage.NFT_MSG_GETOBJ or NftMessage.NFT_MSG_GETOBJ_RESET or NftMessage.NFT_MSG_GETFLOWTABLE:
                return Errno.ENOENT;
            default:
                return Errno.EINVAL;
        }
    }

    private static void DumpRules(NetlinkWriter answer, uint generation, NftTable table, string? wantedChain, bool isReset)
    {
        foreach (NftChain chain in table.Chains)
        {
            for (int i = 0; i < chain.Rules.Count && (wantedChain is null || wantedChain == chain.Name); i++)
            {
                NetlinkFlags flags = NetlinkFlags.NLM_F_MULTI | NetlinkFlags.NLM_F_APPEND;
                NftDump.Write(answer, flags, generation, table, chain, i, isReset);
            }
        }
    }

    private static Errno GetRule(NftTransaction reader, in NftRequest request, NftTable table, uint generation, NetlinkWriter answer)
    {
        if (!NftChainChanges.Find(reader, request, table, NftRuleChanges.NFTA_RULE_CHAIN, 0).TryGet(out NftChain? chain, out Errno errno))
        {
            return errno;
        }

        errno = request.Attributes.Read(NftRuleChanges.NFTA_RULE_HANDLE, out ulong? handle);
        if (errno != Errno.None || handle is null)
        {
            return errno != Errno.None ? errno : Errno.EINVAL;
        }

        for (int i = 0; i < chain.Rules.Count; i++)
        {
            if (chain.Rules[i].Handle == handle)
            {
                NftDump.Write(answer, NetlinkFlags.None, generation, table, chain, i, request.Type == NftMessage.NFT_MSG_GETRULE_RESET);
                return Errno.None;
            }
        }

        return Errno.ENOENT;
    }

    // The elements that hold some keys: of an interval its begin, or with NFT_SET_ELEM_INTERVAL_END its end.
    private static Errno GetElements(NftTransaction reader, in NftRequest request, uint generation, NetlinkWriter answer)
    {
        if (!NftElementChanges.Find(reader, request, out NftTable? table).TryGet(out NftSet? set, out Errno errno))
        {
            return errno;
        }

        ReadOnlySpan<byte> list = request.Attributes.Bytes(NftElementChanges.NFTA_SET_ELEM_LIST_ELEMENTS);
        if (list.IsEmpty)
        {
            return Errno.EINVAL;
        }

        List<NftElement> found = [];
        while (AttributeReader.TryTake(ref list, out _, out ReadOnlySpan<byte> value))
        {
            if (!NftElementChanges.ReadKey(set, new AttributeReader(value)).TryGet(out NftElement? wanted, out errno))
            {
                return errno;
            }

            NftElement? element = set.Find(wanted);
            if (element is null && set.Has(NftSet.Interval) && wanted.Key.Length > 0)
            {
                element = wanted.IsEnd ? FindEnd(set, wanted.Key) : set.Identity.Elements.TryFind(wanted.Key, out NftElement? holder) ? holder : null;
            }

            if (element is null)
            {
                return Errno.ENOENT;
            }

            found.Add(element);
        }

        NftDump.Write(answer, NetlinkFlags.None, generation, table!, set, found);
        return Errno.None;
    }

    private static NftElement? FindEnd(NftSet set, byte[] key)
    {
        NftElement? end = null;
        foreach (NftElement element in set.Elements)
        {
            if (element.IsEnd && NftElements.Compare(element.Key, key) >= 0 && (end is null || NftElements.Compare(element.Key, end.Key) < 0))
            {
                end = element;
            }
        }

        return end;
    }
}
