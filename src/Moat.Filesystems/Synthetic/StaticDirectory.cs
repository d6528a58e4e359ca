using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.Synthetic;

/// <summary>A synthetic directory whose entries are settled when the filesystem is made.</summary>
public sealed class StaticDirectory(SyntheticFilesystem filesystem, Mode permissions = (Mode)0x16D) : SyntheticDirectory(filesystem, permissions)
{
    private readonly Dictionary<FileName, SyntheticInode> _children = new(FileNameComparer.Instance);
    private readonly List<SyntheticEntry> _list = [];

    /// <summary>Adds an entry while the filesystem is being made; returns this directory.</summary>
    public StaticDirectory Add(string name, SyntheticInode child)
    {
        FileName key = new(name);
        _children.Add(key, child);
        _list.Add(new SyntheticEntry(key, child.Number, child.FileType));
        return this;
    }

    /// <inheritdoc/>
    public override Result<Inode> Lookup(GuestTask? task, FileName name) =>
        _children.TryGetValue(name, out SyntheticInode? child) ? child : Errno.ENOENT;

    /// <inheritdoc/>
    public override IReadOnlyList<SyntheticEntry> List(GuestTask task) => _list;
}
