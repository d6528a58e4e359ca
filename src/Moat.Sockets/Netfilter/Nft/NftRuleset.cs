namespace Moat.Sockets.Netfilter.Nft;

/// <summary>A version of all tables.</summary>
internal sealed class NftRuleset
{
    private NftHandles _handles = new();

    /// <summary>Changes with every transaction that changes anything.</summary>
    public uint Generation { get; set; } = 1;

    /// <summary>The tables, in the order in which they were made.</summary>
    public List<NftTable> Tables { get; private init; } = [];

    /// <summary>A number for a new table.</summary>
    public ulong NextHandle() => _handles.Next();

    /// <summary>The table of a family with a name, or null.</summary>
    public NftTable? Find(NetfilterFamily family, string name) => Tables.Find(table => table.Family == family && table.Name == name);

    /// <summary>The next version, to be changed.</summary>
    public NftRuleset Clone() => new() { Generation = Generation, Tables = Tables.ConvertAll(static table => table.Clone()), _handles = _handles };
}
