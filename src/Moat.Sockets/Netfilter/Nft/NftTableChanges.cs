using Moat.Linux;
using Moat.Sockets.Netlink;

namespace Moat.Sockets.Netfilter.Nft;

/// <summary>Messages about tables.</summary>
internal static class NftTableChanges
{
    public const ushort NFTA_TABLE_NAME = 1;
    public const ushort NFTA_TABLE_FLAGS = 2;
    public const ushort NFTA_TABLE_USE = 3;
    public const ushort NFTA_TABLE_HANDLE = 4;
    public const ushort NFTA_TABLE_USERDATA = 6;

    private const int MaxTables = 256;

    /// <summary>NFT_MSG_NEWTABLE.</summary>
    public static Errno Add(NftTransaction transaction, in NftRequest request)
    {
        if (request.Family is not (NetfilterFamily.NFPROTO_INET or NetfilterFamily.NFPROTO_IPV4 or NetfilterFamily.NFPROTO_IPV6))
        {
            return Errno.EOPNOTSUPP;
        }

        AttributeReader attributes = request.Attributes;
        Errno errno = attributes.ReadName(NFTA_TABLE_NAME, NftNames.MaxLength, out string? name);
        uint? flags = null;
        errno = errno != Errno.None ? errno : attributes.Read(NFTA_TABLE_FLAGS, out flags);
        if (errno != Errno.None || name is null)
        {
            return errno != Errno.None ? errno : Errno.EINVAL;
        }

        // A table that goes with its owner's socket is not supported.
        if ((flags & ~NftTable.Dormant) is > 0)
        {
            return Errno.EOPNOTSUPP;
        }

        if (transaction.Ruleset.Find(request.Family, name) is { } known)
        {
            if (request.Has(NetlinkFlags.NLM_F_EXCL))
            {
                return transaction.Fail(request, NFTA_TABLE_NAME, Errno.EEXIST);
            }

            if (request.Has(NetlinkFlags.NLM_F_REPLACE))
            {
                return Errno.EOPNOTSUPP;
            }

            if (flags is { } changed && changed != known.Flags)
            {
                known.Flags = changed;
                known.Touch();
            }

            return Errno.None;
        }

        ReadOnlySpan<byte> userData = attributes.Bytes(NFTA_TABLE_USERDATA);
        if (userData.Length > NftNames.MaxUserData)
        {
            return Errno.EINVAL;
        }

        if (transaction.Ruleset.Tables.Count >= MaxTables)
        {
            return Errno.ENOMEM;
        }

        transaction.Ruleset.Tables.Add(new NftTable(request.Family, name, transaction.Ruleset.NextHandle()) { Flags = flags ?? 0, UserData = userData.ToArray() });
        return Errno.None;
    }

    /// <summary>NFT_MSG_DELTABLE: one, or all of a family.</summary>
    public static Errno Remove(NftTransaction transaction, in NftRequest request)
    {
        AttributeReader attributes = request.Attributes;
        NetfilterFamily family = request.Family;
        Errno errno = attributes.Read(NFTA_TABLE_HANDLE, out ulong? handle);
        if (errno != Errno.None)
        {
            return errno;
        }

        if (handle is null && !attributes.Has(NFTA_TABLE_NAME))
        {
            _ = transaction.Ruleset.Tables.RemoveAll(candidate => family == NetfilterFamily.NFPROTO_UNSPEC || candidate.Family == family);
            return Errno.None;
        }

        NftTable? table;
        if (handle is not null)
        {
            table = transaction.Ruleset.Tables.Find(candidate => candidate.Handle == handle && candidate.Family == family);
            if (table is null)
            {
                return transaction.Fail(request, NFTA_TABLE_HANDLE, Errno.ENOENT);
            }
        }
        else if (!transaction.FindTable(request, NFTA_TABLE_NAME).TryGet(out table, out errno))
        {
            return errno;
        }

        if (request.Has(NetlinkFlags.NLM_F_NONREC) && table.Use > 0)
        {
            return Errno.EBUSY;
        }

        _ = transaction.Ruleset.Tables.Remove(table);
        return Errno.None;
    }
}
