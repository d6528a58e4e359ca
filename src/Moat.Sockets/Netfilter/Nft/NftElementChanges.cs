using Moat.Linux;
using Moat.Sockets.Netfilter.Nft.Expressions;
using Moat.Sockets.Netlink;

namespace Moat.Sockets.Netfilter.Nft;

/// <summary>Messages about elements of sets and maps.</summary>
internal static class NftElementChanges
{
    public const ushort NFTA_SET_ELEM_LIST_TABLE = 1;
    public const ushort NFTA_SET_ELEM_LIST_SET = 2;
    public const ushort NFTA_SET_ELEM_LIST_ELEMENTS = 3;
    public const ushort NFTA_SET_ELEM_KEY = 1;
    public const ushort NFTA_SET_ELEM_DATA = 2;
    public const ushort NFTA_SET_ELEM_FLAGS = 3;
    public const ushort NFTA_SET_ELEM_USERDATA = 6;
    public const ushort NFTA_SET_ELEM_KEY_END = 10;
    public const ushort NFTA_LIST_ELEM = 1;

    private const ushort NFTA_SET_ELEM_LIST_SET_ID = 4;
    private const int NFTA_SET_ELEM_TIMEOUT = 4;
    private const int NFTA_SET_ELEM_EXPR = 7;
    private const int NFTA_SET_ELEM_OBJREF = 9;
    private const int NFTA_SET_ELEM_EXPRESSIONS = 11;
    private const int MaxElements = 65_536;

    /// <summary>NFT_MSG_NEWSETELEM.</summary>
    public static Errno Add(NftTransaction transaction, in NftRequest request)
    {
        if (!request.Attributes.Has(NFTA_SET_ELEM_LIST_ELEMENTS))
        {
            return Errno.EINVAL;
        }

        if (!Find(transaction, request, out NftTable? table).TryGet(out NftSet? set, out Errno errno))
        {
            return errno;
        }

        if (set.Has(NftSet.Constant) && table!.IsUsed(set.Identity))
        {
            return Errno.EBUSY;
        }

        ReadOnlySpan<byte> list = request.Attributes.Bytes(NFTA_SET_ELEM_LIST_ELEMENTS);
        while (AttributeReader.TryTake(ref list, out _, out ReadOnlySpan<byte> value))
        {
            errno = AddOne(table!, set, new AttributeReader(value), request.Has(NetlinkFlags.NLM_F_EXCL));
            if (errno != Errno.None)
            {
                transaction.BadOffset = request.OffsetOf(value);
                return errno;
            }
        }

        table!.Touch();
        return Errno.None;
    }

    /// <summary>NFT_MSG_DELSETELEM: some, or all.</summary>
    public static Errno Remove(NftTransaction transaction, in NftRequest request)
    {
        if (!Find(transaction, request, out NftTable? table).TryGet(out NftSet? set, out Errno errno))
        {
            return errno;
        }

        if (set.Has(NftSet.Constant) && table!.IsUsed(set.Identity))
        {
            return Errno.EBUSY;
        }

        table!.Touch();
        if (!request.Attributes.Has(NFTA_SET_ELEM_LIST_ELEMENTS))
        {
            set.Clear();
            return Errno.None;
        }

        ReadOnlySpan<byte> list = request.Attributes.Bytes(NFTA_SET_ELEM_LIST_ELEMENTS);
        while (AttributeReader.TryTake(ref list, out _, out ReadOnlySpan<byte> value))
        {
            if (!ReadKey(set, new AttributeReader(value)).TryGet(out NftElement? wanted, out errno))
            {
                return errno;
            }

            if (set.Find(wanted) is not { } known)
            {
                transaction.BadOffset = request.OffsetOf(value);
                return Errno.ENOENT;
            }

            set.Remove(known);
        }

        return Errno.None;
    }

    /// <summary>Reads which element is meant: its key, the end of its range, its flags.</summary>
    /// <returns>EINVAL if they do not fit the set.</returns>
    public static Result<NftElement> ReadKey(NftSet set, AttributeReader attributes)
    {
        Errno errno = attributes.Read(NFTA_SET_ELEM_FLAGS, out uint? given);
        uint flags = given ?? 0;
        if (errno != Errno.None || (flags & ~(NftElement.IntervalEnd | NftElement.CatchAll)) != 0)
        {
            return errno != Errno.None ? errno : Errno.EOPNOTSUPP;
        }

        bool isCatchAll = (flags & NftElement.CatchAll) != 0;
        if (((flags & NftElement.IntervalEnd) != 0 && (!set.Has(NftSet.Interval) || isCatchAll)) || isCatchAll == attributes.Has(NFTA_SET_ELEM_KEY))
        {
            return Errno.EINVAL;
        }

        byte[] key = [];
        if (!isCatchAll && (!NftData.ReadValue(attributes.Nest(NFTA_SET_ELEM_KEY)).TryGet(out key!, out errno) || key.Length != set.KeyLength))
        {
            return errno != Errno.None ? errno : Errno.EINVAL;
        }

        byte[]? end = null;
        if (attributes.Has(NFTA_SET_ELEM_KEY_END) && (!NftData.ReadValue(attributes.Nest(NFTA_SET_ELEM_KEY_END)).TryGet(out end, out errno) || end.Length != set.KeyLength || !set.Has(NftSet.Interval)))
        {
            return errno != Errno.None ? errno : Errno.EINVAL;
        }

        return new NftElement(key, flags) { KeyEnd = end };
    }

    /// <summary>Finds the set that a message names, by its name or by what its transaction calls it.</summary>
    public static Result<NftSet> Find(NftTransaction transaction, in NftRequest request, out NftTable? table)
    {
        if (!transaction.FindTable(request, NFTA_SET_ELEM_LIST_TABLE).TryGet(out table, out Errno errno))
        {
            return errno;
        }

        errno = request.Attributes.ReadName(NFTA_SET_ELEM_LIST_SET, NftNames.MaxLength, out string? name);
        uint? id = null;
        errno = errno != Errno.None ? errno : request.Attributes.Read(NFTA_SET_ELEM_LIST_SET_ID, out id);
        if (errno != Errno.None || (name is null && id is null))
        {
            return errno != Errno.None ? errno : Errno.EINVAL;
        }

        NftSet? set = (name is not null ? table.FindSet(name) : null) ?? table.Sets.Find(candidate => id is not null && id != 0 && candidate.Id == id);
        return set is not null ? set : transaction.Fail(request, NFTA_SET_ELEM_LIST_SET, Errno.ENOENT);
    }

    private static Errno AddOne(NftTable table, NftSet set, AttributeReader attributes, bool isExclusive)
    {
        if (attributes.Has(NFTA_SET_ELEM_TIMEOUT) || attributes.Has(NFTA_SET_ELEM_OBJREF))
        {
            return Errno.EINVAL; // the set is not for such elements
        }

        if (attributes.Has(NFTA_SET_ELEM_EXPR) || attributes.Has(NFTA_SET_ELEM_EXPRESSIONS))
        {
            return Errno.EOPNOTSUPP;
        }

        if (!ReadKey(set, attributes).TryGet(out NftElement? element, out Errno errno))
        {
            return errno;
        }

        bool needsData = set.Has(NftSet.Map) && !element.IsEnd;
        if (needsData != attributes.Has(NFTA_SET_ELEM_DATA))
        {
            return Errno.EINVAL;
        }

        if (needsData)
        {
            if (!NftData.Read(attributes.Nest(NFTA_SET_ELEM_DATA), table).TryGet(out NftData data, out errno))
            {
                return errno;
            }

            bool isVerdict = set.DataType == NftSet.VerdictType;
            if (isVerdict != (data.Value is null) || (!isVerdict && data.Value!.Length != set.DataLength))
            {
                return Errno.EINVAL;
            }

            element = element with { Data = data.Value ?? [], Step = data.Step, Target = data.Target };
        }

        ReadOnlySpan<byte> userData = attributes.Bytes(NFTA_SET_ELEM_USERDATA);
        if (userData.Length > NftNames.MaxUserData)
        {
            return Errno.EINVAL;
        }

        if (set.Find(element) is { } known)
        {
            return isExclusive ? Errno.EEXIST : known.HasSameData(element) ? Errno.None : Errno.EEXIST;
        }

        if (set.Elements.Count >= MaxElements || (set.Size != 0 && set.Elements.Count >= set.Size && !set.Has(NftSet.Interval)))
        {
            return Errno.ENFILE;
        }

        set.Add(element with { UserData = userData.ToArray() });
        return Errno.None;
    }
}
