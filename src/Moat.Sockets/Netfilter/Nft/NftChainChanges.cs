using Moat.Linux;
using Moat.Netstack.Filter;
using Moat.Sockets.Netfilter.Nft.Expressions;
using Moat.Sockets.Netlink;

namespace Moat.Sockets.Netfilter.Nft;

/// <summary>Messages about chains.</summary>
internal static class NftChainChanges
{
    public const ushort NFTA_CHAIN_TABLE = 1;
    public const ushort NFTA_CHAIN_HANDLE = 2;
    public const ushort NFTA_CHAIN_NAME = 3;
    public const ushort NFTA_CHAIN_HOOK = 4;
    public const ushort NFTA_CHAIN_POLICY = 5;
    public const ushort NFTA_CHAIN_USE = 6;
    public const ushort NFTA_CHAIN_TYPE = 7;
    public const ushort NFTA_CHAIN_COUNTERS = 8;
    public const ushort NFTA_CHAIN_FLAGS = 10;
    public const ushort NFTA_CHAIN_ID = 11;
    public const ushort NFTA_CHAIN_USERDATA = 12;
    public const ushort NFTA_HOOK_HOOKNUM = 1;
    public const ushort NFTA_HOOK_PRIORITY = 2;

    /// <summary>NFT_CHAIN_BASE.</summary>
    public const uint BaseFlag = 1;

    /// <summary>NFT_CHAIN_BINDING: it goes with the rule that leads to it.</summary>
    public const uint BindingFlag = 4;

    private const int NFTA_HOOK_DEV = 3;
    private const int NFTA_HOOK_DEVS = 4;
    private const uint OffloadFlag = 2;
    private const int MaxChains = 4096;
    private const int MinNatPriority = -200; // behind connection tracking

    /// <summary>NFT_MSG_NEWCHAIN.</summary>
    public static Errno Add(NftTransaction transaction, in NftRequest request)
    {
        if (!transaction.FindTable(request, NFTA_CHAIN_TABLE).TryGet(out NftTable? table, out Errno errno))
        {
            return errno;
        }

        AttributeReader attributes = request.Attributes;
        errno = attributes.ReadName(NFTA_CHAIN_NAME, NftNames.MaxLength, out string? name);
        ulong? handle = null;
        uint? flags = null;
        uint? id = null;
        errno = errno != Errno.None ? errno : attributes.Read(NFTA_CHAIN_HANDLE, out handle);
        errno = errno != Errno.None ? errno : attributes.Read(NFTA_CHAIN_FLAGS, out flags);
        errno = errno != Errno.None ? errno : attributes.Read(NFTA_CHAIN_ID, out id);
        if (errno != Errno.None)
        {
            return errno;
        }

        NftChain? chain = name is not null && handle is null ? table.FindChain(name) : handle is not null ? table.Chains.Find(candidate => candidate.Handle == handle) : null;
        if (handle is not null && chain is null)
        {
            return transaction.Fail(request, NFTA_CHAIN_HANDLE, Errno.ENOENT);
        }

        if (name is null && handle is null && id is null)
        {
            return Errno.EINVAL;
        }

        if (!ReadPolicy(transaction, request, chain).TryGet(out bool? drops, out errno))
        {
            return errno;
        }

        if (((flags ?? 0) & ~(BaseFlag | OffloadFlag | BindingFlag)) != 0 || ((flags ?? 0) & OffloadFlag) != 0)
        {
            return Errno.EOPNOTSUPP;
        }

        return chain is null ? Make(transaction, request, table, name, flags ?? 0, id ?? 0, drops ?? false) : Change(transaction, request, table, chain, name, handle is not null, drops);
    }

    /// <summary>NFT_MSG_DELCHAIN.</summary>
    public static Errno Remove(NftTransaction transaction, in NftRequest request)
    {
        if (!transaction.FindTable(request, NFTA_CHAIN_TABLE).TryGet(out NftTable? table, out Errno errno) || !Find(transaction, request, table, NFTA_CHAIN_NAME, NFTA_CHAIN_HANDLE).TryGet(out NftChain? chain, out errno))
        {
            return errno;
        }

        if (request.Has(NetlinkFlags.NLM_F_NONREC) && (chain.Rules.Count > 0 || table.CountReferences(chain.Identity) > 0))
        {
            return Errno.EBUSY;
        }

        Clear(table, chain);
        if (table.CountReferences(chain.Identity) > 0)
        {
            return transaction.Fail(request, request.Attributes.Has(NFTA_CHAIN_HANDLE) ? NFTA_CHAIN_HANDLE : NFTA_CHAIN_NAME, Errno.EBUSY);
        }

        _ = table.Chains.Remove(chain);
        table.Touch();
        return Errno.None;
    }

    /// <summary>Finds the chain that a message names.</summary>
    /// <returns>EINVAL, ERANGE, ENOENT.</returns>
    public static Result<NftChain> Find(NftTransaction transaction, in NftRequest request, NftTable table, int nameType, int handleType)
    {
        Errno errno = request.Attributes.ReadName(nameType, NftNames.MaxLength, out string? name);
        ulong? handle = null;
        errno = errno != Errno.None || handleType == 0 ? errno : request.Attributes.Read(handleType, out handle);
        if (errno != Errno.None || (name is null && handle is null))
        {
            return errno != Errno.None ? errno : Errno.EINVAL;
        }

        NftChain? chain = handle is not null ? table.Chains.Find(candidate => candidate.Handle == handle) : table.FindChain(name!);
        return chain is not null ? chain : transaction.Fail(request, handle is not null ? handleType : nameType, Errno.ENOENT);
    }

    /// <summary>Removes a chain's rules.</summary>
    public static void Clear(NftTable table, NftChain chain)
    {
        foreach (NftRule rule in chain.Rules)
        {
            table.RemoveBoundTo(rule);
        }

        chain.ChangeRules().Clear();
        table.Touch();
    }

    private static Result<bool?> ReadPolicy(NftTransaction transaction, in NftRequest request, NftChain? chain)
    {
        Errno errno = request.Attributes.Read(NFTA_CHAIN_POLICY, out uint? policy);
        if (errno != Errno.None || policy is null)
        {
            return errno != Errno.None ? errno : (bool?)null;
        }

        bool isBase = chain?.Hook is not null || (chain is null && request.Attributes.Has(NFTA_CHAIN_HOOK));
        return !isBase ? transaction.Fail(request, NFTA_CHAIN_POLICY, Errno.EOPNOTSUPP) : policy > 1 ? Errno.EINVAL : policy == 0;
    }

    private static Errno Make(NftTransaction transaction, in NftRequest request, NftTable table, string? name, uint flags, uint id, bool drops)
    {
        if (table.Chains.Count >= MaxChains)
        {
            return Errno.ENOMEM;
        }

        AttributeReader attributes = request.Attributes;
        NftHook? hook = null;
        if (attributes.Has(NFTA_CHAIN_HOOK))
        {
            if ((flags & BindingFlag) != 0)
            {
                return Errno.EOPNOTSUPP;
            }

            if (!ReadHook(transaction, request, table.Family, drops).TryGet(out hook, out Errno errno))
            {
                return errno;
            }
        }
        else if ((flags & BaseFlag) != 0)
        {
            return Errno.EINVAL;
        }
        else if (name is null && (flags & BindingFlag) == 0)
        {
            return Errno.EINVAL;
        }

        RuleCounter? counter = null;
        if (attributes.Has(NFTA_CHAIN_COUNTERS) && (hook is null || !NftCounter.ParseNumbers(attributes.Nest(NFTA_CHAIN_COUNTERS)).TryGet(out counter, out _)))
        {
            return hook is null ? Errno.EOPNOTSUPP : Errno.EINVAL;
        }

        ReadOnlySpan<byte> userData = attributes.Bytes(NFTA_CHAIN_USERDATA);
        if (userData.Length > NftNames.MaxUserData)
        {
            return Errno.EINVAL;
        }

        string called = name ?? $"__chain{id}";
        table.Chains.Add(new NftChain(new NftChainIdentity(table.FreeSlot(), called), called, table.NextHandle()) { Hook = hook, Counter = counter, Id = id, Flags = flags & BindingFlag, UserData = userData.ToArray() });
        table.Touch();
        return Errno.None;
    }

    private static Errno Change(NftTransaction transaction, in NftRequest request, NftTable table, NftChain chain, string? name, bool isByHandle, bool? drops)
    {
        if (request.Has(NetlinkFlags.NLM_F_EXCL))
        {
            return transaction.Fail(request, NFTA_CHAIN_NAME, Errno.EEXIST);
        }

        if (request.Has(NetlinkFlags.NLM_F_REPLACE))
        {
            return Errno.EOPNOTSUPP;
        }

        AttributeReader attributes = request.Attributes;
        if (attributes.Has(NFTA_CHAIN_HOOK))
        {
            if (chain.Hook is null)
            {
                return transaction.Fail(request, NFTA_CHAIN_NAME, Errno.EEXIST);
            }

            if (!ReadHook(transaction, request, table.Family, chain.Hook.IsDropping).TryGet(out NftHook? wanted, out Errno errno))
            {
                return errno;
            }

            if (wanted != chain.Hook)
            {
                return transaction.Fail(request, NFTA_CHAIN_NAME, Errno.EEXIST);
            }
        }

        if (isByHandle && name is not null && name != chain.Name)
        {
            if (table.FindChain(name) is not null)
            {
                return transaction.Fail(request, NFTA_CHAIN_NAME, Errno.EEXIST);
            }

            chain.Name = name;
        }

        if (attributes.Has(NFTA_CHAIN_COUNTERS))
        {
            if (chain.Hook is null)
            {
                return Errno.EOPNOTSUPP;
            }

            if (!NftCounter.ParseNumbers(attributes.Nest(NFTA_CHAIN_COUNTERS)).TryGet(out RuleCounter? counter, out Errno errno))
            {
                return errno;
            }

            chain.Counter = counter;
        }

        chain.Hook = drops is { } dropping && chain.Hook is not null ? chain.Hook with { IsDropping = dropping } : chain.Hook;
        table.Touch();
        return Errno.None;
    }

    private static Result<NftHook> ReadHook(NftTransaction transaction, in NftRequest request, NetfilterFamily family, bool drops)
    {
        AttributeReader hook = request.Attributes.Nest(NFTA_CHAIN_HOOK);
        Errno errno = hook.Read(NFTA_HOOK_HOOKNUM, out uint? number);
        uint? priority = null;
        errno = errno != Errno.None ? errno : hook.Read(NFTA_HOOK_PRIORITY, out priority);
        string? type = null;
        errno = errno != Errno.None ? errno : request.Attributes.ReadName(NFTA_CHAIN_TYPE, NftNames.MaxLength, out type);
        if (errno != Errno.None || number is null || priority is null)
        {
            return errno != Errno.None ? errno : type is null ? Errno.EINVAL : Errno.ENOENT;
        }

        FilterChainKind? kind = type switch { null or "filter" => FilterChainKind.Filter, "nat" => FilterChainKind.Nat, "route" => FilterChainKind.Route, _ => null };
        if (kind is null)
        {
            return transaction.Fail(request, NFTA_CHAIN_TYPE, Errno.ENOENT);
        }

        FilterHook at = (FilterHook)number.Value;
        int order = unchecked((int)priority.Value);
        bool isAllowed = number <= (uint)FilterHook.Postrouting && kind switch
        {
            FilterChainKind.Nat => at != FilterHook.Forward && order > MinNatPriority,
            FilterChainKind.Route => at == FilterHook.Output,
            _ => true,
        };
        bool hasDevice = hook.Has(NFTA_HOOK_DEV) || hook.Has(NFTA_HOOK_DEVS);
        return !isAllowed || (hasDevice && family != NetfilterFamily.NFPROTO_UNSPEC) ? Errno.EOPNOTSUPP : new NftHook(at, order, kind.Value, drops);
    }
}
