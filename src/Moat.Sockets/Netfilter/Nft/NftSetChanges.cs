using Moat.Linux;
using Moat.Sockets.Netfilter.Nft.Expressions;
using Moat.Sockets.Netlink;

namespace Moat.Sockets.Netfilter.Nft;

/// <summary>Messages about sets and maps.</summary>
internal static class NftSetChanges
{
    public const ushort NFTA_SET_TABLE = 1;
    public const ushort NFTA_SET_NAME = 2;
    public const ushort NFTA_SET_FLAGS = 3;
    public const ushort NFTA_SET_KEY_TYPE = 4;
    public const ushort NFTA_SET_KEY_LEN = 5;
    public const ushort NFTA_SET_DATA_TYPE = 6;
    public const ushort NFTA_SET_DATA_LEN = 7;
    public const ushort NFTA_SET_POLICY = 8;
    public const ushort NFTA_SET_DESC = 9;
    public const ushort NFTA_SET_ID = 10;
    public const ushort NFTA_SET_USERDATA = 13;
    public const ushort NFTA_SET_HANDLE = 16;
    public const ushort NFTA_SET_DESC_SIZE = 1;
    public const ushort NFTA_SET_DESC_CONCAT = 2;
    public const ushort NFTA_LIST_ELEM = 1;
    public const ushort NFTA_SET_FIELD_LEN = 1;

    private const uint KnownFlags = NftSet.Anonymous | NftSet.Constant | NftSet.Interval | NftSet.Map | NftSet.Concatenation;
    private const int MaxSets = 4096;
    private const int MaxFields = 16; // NFT_REG32_COUNT

    /// <summary>NFT_MSG_NEWSET.</summary>
    public static Errno Add(NftTransaction transaction, in NftRequest request)
    {
        AttributeReader attributes = request.Attributes;
        if (!attributes.Has(NFTA_SET_TABLE) || !attributes.Has(NFTA_SET_NAME) || !attributes.Has(NFTA_SET_KEY_LEN) || !attributes.Has(NFTA_SET_ID))
        {
            return Errno.EINVAL;
        }

        Errno errno = ReadNumbers(attributes, out Numbers numbers);
        if (errno != Errno.None)
        {
            return errno;
        }

        if (numbers.KeyLength is 0 or > NftData.MaxLength)
        {
            return Errno.EINVAL;
        }

        // Elements that go by themselves, that rules add, or that hold state, are not supported.
        if ((numbers.Flags & ~KnownFlags) != 0)
        {
            return Errno.EOPNOTSUPP;
        }

        bool isMap = (numbers.Flags & NftSet.Map) != 0;
        bool isVerdict = numbers.DataType == NftSet.VerdictType;
        if (isMap != attributes.Has(NFTA_SET_DATA_TYPE) || (isMap && !isVerdict && numbers.DataLength is 0 or > NftData.MaxLength) || (isMap && (numbers.DataType & NftSet.VerdictType) == NftSet.VerdictType && !isVerdict))
        {
            return Errno.EINVAL;
        }

        errno = ReadFields(attributes.Nest(NFTA_SET_DESC), (numbers.Flags & NftSet.Concatenation) != 0, numbers.KeyLength, out uint size, out int[] fields);
        if (errno != Errno.None || !transaction.FindTable(request, NFTA_SET_TABLE).TryGet(out NftTable? table, out errno))
        {
            return errno;
        }

        errno = attributes.ReadName(NFTA_SET_NAME, NftNames.MaxLength, out string? name);
        if (errno != Errno.None || name is null)
        {
            return errno != Errno.None ? errno : Errno.EINVAL;
        }

        if (table.FindSet(name) is { } known)
        {
            return CheckSame(transaction, request, known, numbers);
        }

        if (!request.Has(NetlinkFlags.NLM_F_CREATE))
        {
            return Errno.ENOENT;
        }

        ReadOnlySpan<byte> userData = attributes.Bytes(NFTA_SET_USERDATA);
        if (table.Sets.Count >= MaxSets || userData.Length > NftNames.MaxUserData)
        {
            return table.Sets.Count >= MaxSets ? Errno.ENOMEM : Errno.EINVAL;
        }

        if (!Complete(table, name).TryGet(out string? whole, out errno))
        {
            return errno;
        }

        table.Sets.Add(new NftSet(new NftSetIdentity(whole), table.NextHandle())
        {
            Flags = numbers.Flags,
            KeyType = numbers.KeyType,
            KeyLength = numbers.KeyLength,
            DataType = numbers.DataType,
            DataLength = isVerdict ? 0 : numbers.DataLength,
            Policy = numbers.Policy,
            Size = size,
            Fields = fields,
            UserData = userData.ToArray(),
            Id = numbers.Id,
        });
        return Errno.None;
    }

    /// <summary>NFT_MSG_DELSET.</summary>
    public static Errno Remove(NftTransaction transaction, in NftRequest request)
    {
        if (!transaction.FindTable(request, NFTA_SET_TABLE).TryGet(out NftTable? table, out Errno errno))
        {
            return errno;
        }

        errno = request.Attributes.ReadName(NFTA_SET_NAME, NftNames.MaxLength, out string? name);
        ulong? handle = null;
        errno = errno != Errno.None ? errno : request.Attributes.Read(NFTA_SET_HANDLE, out handle);
        if (errno != Errno.None || (name is null && handle is null))
        {
            return errno != Errno.None ? errno : Errno.EINVAL;
        }

        NftSet? set = handle is not null ? table.Sets.Find(candidate => candidate.Handle == handle) : table.FindSet(name!);
        ushort which = handle is not null ? NFTA_SET_HANDLE : NFTA_SET_NAME;
        if (set is null)
        {
            return transaction.Fail(request, which, Errno.ENOENT);
        }

        if (table.IsUsed(set.Identity) || (request.Has(NetlinkFlags.NLM_F_NONREC) && set.Elements.Count > 0))
        {
            return transaction.Fail(request, which, Errno.EBUSY);
        }

        _ = table.Sets.Remove(set);
        table.Touch();
        return Errno.None;
    }

    private static Errno CheckSame(NftTransaction transaction, in NftRequest request, NftSet known, in Numbers wanted)
    {
        if (request.Has(NetlinkFlags.NLM_F_EXCL))
        {
            return transaction.Fail(request, NFTA_SET_NAME, Errno.EEXIST);
        }

        if (request.Has(NetlinkFlags.NLM_F_REPLACE))
        {
            return Errno.EOPNOTSUPP;
        }

        bool isSame = known.Flags == wanted.Flags && known.KeyType == wanted.KeyType && known.KeyLength == wanted.KeyLength && known.DataType == wanted.DataType && known.Policy == wanted.Policy;
        if (isSame)
        {
            known.Id = wanted.Id;
        }

        return isSame ? Errno.None : transaction.Fail(request, NFTA_SET_NAME, Errno.EEXIST);
    }

    private static Errno ReadNumbers(AttributeReader attributes, out Numbers numbers)
    {
        numbers = default;
        Errno errno = attributes.Read(NFTA_SET_FLAGS, out uint? flags);
        uint? keyType = null;
        uint? keyLength = null;
        uint? dataType = null;
        uint? dataLength = null;
        uint? policy = null;
        uint? id = null;
        errno = errno != Errno.None ? errno : attributes.Read(NFTA_SET_KEY_TYPE, out keyType);
        errno = errno != Errno.None ? errno : attributes.Read(NFTA_SET_KEY_LEN, out keyLength);
        errno = errno != Errno.None ? errno : attributes.Read(NFTA_SET_DATA_TYPE, out dataType);
        errno = errno != Errno.None ? errno : attributes.Read(NFTA_SET_DATA_LEN, out dataLength);
        errno = errno != Errno.None ? errno : attributes.Read(NFTA_SET_POLICY, out policy);
        errno = errno != Errno.None ? errno : attributes.Read(NFTA_SET_ID, out id);
        if (errno == Errno.None)
        {
            int key = (int)Math.Min(keyLength ?? 0, NftData.MaxLength + 1);
            int data = (int)Math.Min(dataLength ?? 0, NftData.MaxLength + 1);
            numbers = new Numbers(flags ?? 0, keyType ?? 0, key, dataType ?? 0, data, policy ?? 0, id ?? 0);
        }

        return errno;
    }

    private static Errno ReadFields(AttributeReader description, bool isConcatenation, int keyLength, out uint size, out int[] fields)
    {
        fields = [];
        Errno errno = description.Read(NFTA_SET_DESC_SIZE, out uint? wanted);
        size = wanted ?? 0;
        if (errno != Errno.None || !isConcatenation)
        {
            return errno;
        }

        List<int> lengths = [];
        int total = 0;
        ReadOnlySpan<byte> list = description.Bytes(NFTA_SET_DESC_CONCAT);
        while (AttributeReader.TryTake(ref list, out int type, out ReadOnlySpan<byte> field))
        {
            errno = new AttributeReader(field).Read(NFTA_SET_FIELD_LEN, out uint? length);
            if (errno != Errno.None || type != NFTA_LIST_ELEM || length is null or 0 or > NftData.MaxLength || lengths.Count == MaxFields)
            {
                return errno != Errno.None ? errno : lengths.Count == MaxFields ? Errno.E2BIG : Errno.EINVAL;
            }

            lengths.Add((int)length.Value);
            total += ((int)length.Value + 3) & ~3;
        }

        fields = [.. lengths];
        return lengths.Count > 0 && total != keyLength ? Errno.EINVAL : Errno.None;
    }

    // A name with %d in it gets the lowest number that is free.
    private static Result<string> Complete(NftTable table, string pattern)
    {
        int at = pattern.IndexOf('%', StringComparison.Ordinal);
        if (at < 0)
        {
            return pattern;
        }

        if (at + 1 >= pattern.Length || pattern[at + 1] != 'd' || pattern.IndexOf('%', at + 1) >= 0)
        {
            return Errno.EINVAL;
        }

        for (int number = 0; ; number++)
        {
            string name = $"{pattern[..at]}{number}{pattern[(at + 2)..]}";
            if (table.FindSet(name) is null)
            {
                return name;
            }
        }
    }

    private readonly record struct Numbers(uint Flags, uint KeyType, int KeyLength, uint DataType, int DataLength, uint Policy, uint Id);
}
