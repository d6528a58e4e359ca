using Moat.Netstack.Filter;
using Moat.Sockets.Netfilter.Nft.Expressions;
using Moat.Sockets.Netlink;

namespace Moat.Sockets.Netfilter.Nft;

/// <summary>Shows what there is.</summary>
internal static class NftDump
{
    private const int NFTA_CHAIN_COUNTERS = NftChainChanges.NFTA_CHAIN_COUNTERS;

    /// <summary>Begins a message of nf_tables.</summary>
    public static void Begin(NetlinkWriter writer, NftMessage type, NetlinkFlags flags, NetfilterFamily family, uint generation) =>
        writer.Begin(NftProtocol.Subsystem, (int)type, flags, (byte)family, (ushort)generation);

    /// <summary>Shows a table.</summary>
    public static void Write(NetlinkWriter writer, NetlinkFlags flags, uint generation, NftTable table)
    {
        Begin(writer, NftMessage.NFT_MSG_NEWTABLE, flags, table.Family, generation);
        writer.Put(NftTableChanges.NFTA_TABLE_NAME, table.Name);
        writer.PutBig(NftTableChanges.NFTA_TABLE_USE, (uint)table.Use);
        writer.PutBig(NftTableChanges.NFTA_TABLE_HANDLE, table.Handle);
        writer.PutBig(NftTableChanges.NFTA_TABLE_FLAGS, table.Flags);
        PutUserData(writer, NftTableChanges.NFTA_TABLE_USERDATA, table.UserData);
        writer.End();
    }

    /// <summary>Shows a chain.</summary>
    public static void Write(NetlinkWriter writer, NetlinkFlags flags, uint generation, NftTable table, NftChain chain)
    {
        Begin(writer, NftMessage.NFT_MSG_NEWCHAIN, flags, table.Family, generation);
        writer.Put(NftChainChanges.NFTA_CHAIN_TABLE, table.Name);
        writer.Put(NftChainChanges.NFTA_CHAIN_NAME, chain.Name);
        writer.PutBig(NftChainChanges.NFTA_CHAIN_HANDLE, chain.Handle);
        if (chain.Hook is { } hook)
        {
            int nest = writer.BeginNest(NftChainChanges.NFTA_CHAIN_HOOK);
            writer.PutBig(NftChainChanges.NFTA_HOOK_HOOKNUM, (uint)hook.Hook);
            writer.PutBig(NftChainChanges.NFTA_HOOK_PRIORITY, unchecked((uint)hook.Priority));
            writer.EndNest(nest);
            writer.PutBig(NftChainChanges.NFTA_CHAIN_POLICY, hook.IsDropping ? 0u : 1);
            writer.Put(NftChainChanges.NFTA_CHAIN_TYPE, hook.Kind switch { FilterChainKind.Nat => "nat", FilterChainKind.Route => "route", _ => "filter" });
            if (chain.Counter is { } counter)
            {
                int numbers = writer.BeginNest(NFTA_CHAIN_COUNTERS);
                NftCounter.Put(writer, counter, reset: false);
                writer.EndNest(numbers);
            }
        }

        uint chainFlags = chain.Flags | (chain.Hook is not null ? NftChainChanges.BaseFlag : 0);
        if (chainFlags != 0)
        {
            writer.PutBig(NftChainChanges.NFTA_CHAIN_FLAGS, chainFlags);
        }

        writer.PutBig(NftChainChanges.NFTA_CHAIN_USE, (uint)(chain.Rules.Count + table.CountReferences(chain.Identity)));
        PutUserData(writer, NftChainChanges.NFTA_CHAIN_USERDATA, chain.UserData);
        writer.End();
    }

    /// <summary>Shows a rule.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="flags">The message's flags.</param>
    /// <param name="generation">The ruleset's.</param>
    /// <param name="table">The table.</param>
    /// <param name="chain">The chain.</param>
    /// <param name="index">Which of its rules.</param>
    /// <param name="reset">Whether what it counts begins anew.</param>
    public static void Write(NetlinkWriter writer, NetlinkFlags flags, uint generation, NftTable table, NftChain chain, int index, bool reset)
    {
        NftRule rule = chain.Rules[index];
        Begin(writer, NftMessage.NFT_MSG_NEWRULE, flags, table.Family, generation);
        writer.Put(NftRuleChanges.NFTA_RULE_TABLE, table.Name);
        writer.Put(NftRuleChanges.NFTA_RULE_CHAIN, chain.Name);
        writer.PutBig(NftRuleChanges.NFTA_RULE_HANDLE, rule.Handle);
        if (index > 0)
        {
            writer.PutBig(NftRuleChanges.NFTA_RULE_POSITION, chain.Rules[index - 1].Handle);
        }

        NftExpressions.Write(writer, NftRuleChanges.NFTA_RULE_EXPRESSIONS, rule.Expressions, reset);
        PutUserData(writer, NftRuleChanges.NFTA_RULE_USERDATA, rule.UserData);
        writer.End();
    }

    /// <summary>Shows a set, without its elements.</summary>
    public static void Write(NetlinkWriter writer, NetlinkFlags flags, uint generation, NftTable table, NftSet set)
    {
        Begin(writer, NftMessage.NFT_MSG_NEWSET, flags, table.Family, generation);
        writer.Put(NftSetChanges.NFTA_SET_TABLE, table.Name);
        writer.Put(NftSetChanges.NFTA_SET_NAME, set.Name);
        writer.PutBig(NftSetChanges.NFTA_SET_HANDLE, set.Handle);
        if (set.Flags != 0)
        {
            writer.PutBig(NftSetChanges.NFTA_SET_FLAGS, set.Flags);
        }

        writer.PutBig(NftSetChanges.NFTA_SET_KEY_TYPE, set.KeyType);
        writer.PutBig(NftSetChanges.NFTA_SET_KEY_LEN, (uint)set.KeyLength);
        if (set.Has(NftSet.Map))
        {
            writer.PutBig(NftSetChanges.NFTA_SET_DATA_TYPE, set.DataType);
            writer.PutBig(NftSetChanges.NFTA_SET_DATA_LEN, (uint)set.DataLength);
        }

        if (set.Policy != 0)
        {
            writer.PutBig(NftSetChanges.NFTA_SET_POLICY, set.Policy);
        }

        PutUserData(writer, NftSetChanges.NFTA_SET_USERDATA, set.UserData);
        int description = writer.BeginNest(NftSetChanges.NFTA_SET_DESC);
        if (set.Size != 0)
        {
            writer.PutBig(NftSetChanges.NFTA_SET_DESC_SIZE, set.Size);
        }

        if (set.Fields.Length > 1)
        {
            int list = writer.BeginNest(NftSetChanges.NFTA_SET_DESC_CONCAT);
            foreach (int length in set.Fields)
            {
                int field = writer.BeginNest(NftSetChanges.NFTA_LIST_ELEM);
                writer.PutBig(NftSetChanges.NFTA_SET_FIELD_LEN, (uint)length);
                writer.EndNest(field);
            }

            writer.EndNest(list);
        }

        writer.EndNest(description);
        writer.End();
    }

    /// <summary>Shows some elements of a set, in messages that a receiver has room for.</summary>
    public static void Write(NetlinkWriter writer, NetlinkFlags flags, uint generation, NftTable table, NftSet set, IReadOnlyList<NftElement> elements)
    {
        const int BytesPerMessage = 3000;
        int at = 0;
        while (at < elements.Count)
        {
            Begin(writer, NftMessage.NFT_MSG_NEWSETELEM, flags, table.Family, generation);
            writer.Put(NftElementChanges.NFTA_SET_ELEM_LIST_TABLE, table.Name);
            writer.Put(NftElementChanges.NFTA_SET_ELEM_LIST_SET, set.Name);
            int list = writer.BeginNest(NftElementChanges.NFTA_SET_ELEM_LIST_ELEMENTS);
            int room = BytesPerMessage;
            do
            {
                NftElement element = elements[at++];
                Write(writer, set, element);
                room -= 64 + element.Key.Length + element.Data.Length + (element.KeyEnd?.Length ?? 0) + element.UserData.Length + (element.Target?.Name.Length ?? 0);
            }
            while (at < elements.Count && room > 0);
            writer.EndNest(list);
            writer.End();
        }
    }

    private static void Write(NetlinkWriter writer, NftSet set, NftElement element)
    {
        int nest = writer.BeginNest(NftElementChanges.NFTA_LIST_ELEM);
        if (element.Key.Length > 0)
        {
            NftData.Put(writer, NftElementChanges.NFTA_SET_ELEM_KEY, element.Key);
        }

        if (element.KeyEnd is { } end)
        {
            NftData.Put(writer, NftElementChanges.NFTA_SET_ELEM_KEY_END, end);
        }

        if (set.Has(NftSet.Map) && !element.IsEnd)
        {
            if (set.DataType == NftSet.VerdictType)
            {
                NftData.Put(writer, NftElementChanges.NFTA_SET_ELEM_DATA, element.Step, element.Target);
            }
            else
            {
                NftData.Put(writer, NftElementChanges.NFTA_SET_ELEM_DATA, element.Data);
            }
        }

        if (element.Flags != 0)
        {
            writer.PutBig(NftElementChanges.NFTA_SET_ELEM_FLAGS, element.Flags);
        }

        PutUserData(writer, NftElementChanges.NFTA_SET_ELEM_USERDATA, element.UserData);
        writer.EndNest(nest);
    }

    private static void PutUserData(NetlinkWriter writer, ushort type, byte[] userData)
    {
        if (userData.Length > 0)
        {
            writer.Put(type, userData);
        }
    }
}
