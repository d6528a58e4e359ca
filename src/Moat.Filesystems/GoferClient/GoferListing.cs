using Moat.Linux;
using Moat.NineP;

namespace Moat.Filesystems.GoferClient;

/// <summary>The entries of a directory, without "." and "..", and the listings of directories below that came with it.</summary>
/// <param name="files">What the Gofer told. A name that is none is empty.</param>
/// <param name="directory">What the directory was before.</param>
/// <param name="checkedNs">When that was.</param>
internal sealed class GoferListing(List<NinePListedFile> files, NinePAttributes directory, long checkedNs)
{
    private readonly NinePAttributes _directory = directory;
    private long _checkedNs = checkedNs;

    private Dictionary<FileName, int>? _index; // set once
    private Dictionary<int, GoferListing>? _below; // complete before others see it
    private GoferInode?[]? _inodes; // each set once

    /// <summary>How many entries there are.</summary>
    public int Count => files.Count;

    /// <summary>How many there are with those of the directories below.</summary>
    public int Total { get; private set; } = files.Count;

    /// <summary>How many entries it counts for among those that are kept. Guarded by <see cref="GoferListings"/>.</summary>
    public int Charged { get; set; }

    /// <summary>When it was last known to be right, on the monotonic clock.</summary>
    public long CheckedNs
    {
        get => Volatile.Read(ref _checkedNs);
        set => Volatile.Write(ref _checkedNs, value);
    }

    /// <summary>An entry.</summary>
    public NinePListedFile this[int index] => files[index];

    /// <summary>Makes one with the directories that came with it.</summary>
    public static GoferListing Make(List<NinePListedFile> files, List<NinePListedDirectory> below, in NinePAttributes own, long checkedNs)
    {
        List<GoferListing> groups = [new(files, own, checkedNs)];
        foreach (NinePListedDirectory directory in below)
        {
            GoferListing parent = groups[directory.Group];
            groups.Add(new GoferListing(directory.Files, parent[directory.Index].Attributes, checkedNs));
            (parent._below ??= []).TryAdd(directory.Index, groups[^1]);
        }

        // Those that came last are the lowest.
        for (int i = below.Count; i > 0; i--)
        {
            groups[below[i - 1].Group].Total += groups[i].Total + 1;
        }

        return groups[0];
    }

    /// <summary>Whether a directory has not changed since.</summary>
    public bool IsOf(in NinePAttributes now) => now.Qid.Path == _directory.Qid.Path && now.ModifyTime == _directory.ModifyTime && now.ChangeTime == _directory.ChangeTime;

    /// <summary>Finds an entry; -1 if there is none.</summary>
    public int Find(FileName name) => (Volatile.Read(ref _index) ?? MakeIndex()).TryGetValue(name, out int at) ? at : -1;

    /// <summary>The inode of an entry: always the same, as long as the listing is kept.</summary>
    public GoferInode InodeOf(GoferInode directory, int index)
    {
        GoferInode?[] inodes = Volatile.Read(ref _inodes) ?? MakeInodes();
        if (Volatile.Read(ref inodes[index]) is { } known)
        {
            return known;
        }

        NinePListedFile file = files[index];
        GoferInode made = new(directory.Tree, directory, file.Name, file.Attributes, file.Target);
        if (Interlocked.CompareExchange(ref inodes[index], made, null) is { } other)
        {
            return other;
        }

        if (made.IsDirectory && _below?.GetValueOrDefault(index) is { } own)
        {
            directory.Tree.Listings.Add(made, own, cameWith: this);
        }

        return made;
    }

    private GoferInode?[] MakeInodes()
    {
        GoferInode?[] made = new GoferInode?[files.Count];
        return Interlocked.CompareExchange(ref _inodes, made, null) ?? made;
    }

    private Dictionary<FileName, int> MakeIndex()
    {
        Dictionary<FileName, int> index = new(files.Count, FileNameComparer.Instance);
        for (int i = 0; i < files.Count; i++)
        {
            index.TryAdd(files[i].Name, i);
        }

        Volatile.Write(ref _index, index);
        return index;
    }
}
