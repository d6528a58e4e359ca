namespace Moat.Sockets.Netfilter.Nft;

/// <summary>A set or map in one version of the ruleset.</summary>
internal sealed class NftSet(NftSetIdentity identity, ulong handle)
{
    /// <summary>NFT_SET_ANONYMOUS.</summary>
    public const uint Anonymous = 0x1;

    /// <summary>NFT_SET_CONSTANT.</summary>
    public const uint Constant = 0x2;

    /// <summary>NFT_SET_INTERVAL.</summary>
    public const uint Interval = 0x4;

    /// <summary>NFT_SET_MAP.</summary>
    public const uint Map = 0x8;

    /// <summary>NFT_SET_CONCAT.</summary>
    public const uint Concatenation = 0x80;

    /// <summary>NFT_DATA_VERDICT: what a verdict map's data type is.</summary>
    public const uint VerdictType = 0xffffff00;

    private List<NftElement> _elements = [];
    private Dictionary<string, NftElement> _byKey = [];
    private bool _ownsElements = true;
    private bool _isChanged = true;

    /// <summary>What rules know it by.</summary>
    public NftSetIdentity Identity => identity;

    /// <summary>Its name.</summary>
    public string Name => identity.Name;

    /// <summary>Its number in the table.</summary>
    public ulong Handle => handle;

    /// <summary>The number that its transaction knows it by.</summary>
    public uint Id { get; set; }

    /// <summary>NFT_SET_*.</summary>
    public required uint Flags { get; init; }

    /// <summary>What user space calls the key's type.</summary>
    public required uint KeyType { get; init; }

    /// <summary>Bytes of a key.</summary>
    public required int KeyLength { get; init; }

    /// <summary>What user space calls the data's type, or <see cref="VerdictType"/>.</summary>
    public uint DataType { get; init; }

    /// <summary>Bytes of the data.</summary>
    public int DataLength { get; init; }

    /// <summary>NFT_SET_POL_*.</summary>
    public uint Policy { get; init; }

    /// <summary>How many elements it may have; 0 for no limit of its own.</summary>
    public uint Size { get; init; }

    /// <summary>The lengths of a concatenation's parts.</summary>
    public int[] Fields { get; init; } = [];

    /// <summary>What user space keeps with it.</summary>
    public byte[] UserData { get; init; } = [];

    /// <summary>Its elements, in the order in which they were added.</summary>
    public IReadOnlyList<NftElement> Elements => _elements;

    /// <summary>Whether it has any of these flags.</summary>
    public bool Has(uint flags) => (Flags & flags) != 0;

    /// <summary>The element with a key, or null.</summary>
    public NftElement? Find(NftElement like) => _byKey.GetValueOrDefault(IndexOf(like));

    /// <summary>Adds an element that is not there.</summary>
    public void Add(NftElement element)
    {
        Own();
        _elements.Add(element);
        _byKey.Add(IndexOf(element), element);
    }

    /// <summary>Removes an element that is there.</summary>
    public void Remove(NftElement element)
    {
        Own();
        _ = _elements.Remove(element);
        _ = _byKey.Remove(IndexOf(element));
    }

    /// <summary>Removes all elements.</summary>
    public void Clear()
    {
        Own();
        _elements.Clear();
        _byKey.Clear();
    }

    /// <summary>Shows packets this version's elements.</summary>
    public void Publish()
    {
        if (_isChanged)
        {
            identity.Elements = new NftElements(_elements, Has(Interval), Fields);
            _isChanged = false;
        }
    }

    /// <summary>The set in the next version; both share the elements until one changes.</summary>
    public NftSet Clone()
    {
        _ownsElements = false;
        return new NftSet(identity, handle)
        {
            Flags = Flags,
            KeyType = KeyType,
            KeyLength = KeyLength,
            DataType = DataType,
            DataLength = DataLength,
            Policy = Policy,
            Size = Size,
            Fields = Fields,
            UserData = UserData,
            _elements = _elements,
            _byKey = _byKey,
            _ownsElements = false,
            _isChanged = false,
        };
    }

    // An interval may end where another begins.
    private static string IndexOf(NftElement element) => $"{(element.IsEnd ? 'e' : (element.Flags & NftElement.CatchAll) != 0 ? 'c' : 's')}{Convert.ToHexString(element.Key)}-{(element.KeyEnd is { } end ? Convert.ToHexString(end) : "")}";

    private void Own()
    {
        _isChanged = true;
        if (!_ownsElements)
        {
            _elements = [.. _elements];
            _byKey = new Dictionary<string, NftElement>(_byKey);
            _ownsElements = true;
        }
    }
}
