using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.Synthetic;

/// <summary>A directory whose entries are computed.</summary>
public abstract class SyntheticDirectory(SyntheticFilesystem filesystem, Mode permissions)
    : SyntheticInode(filesystem, Mode.S_IFDIR | permissions)
{
    /// <inheritdoc/>
    protected override uint LinkCount => 2;

    /// <inheritdoc/>
    public abstract override Result<Inode> Lookup(GuestTask? task, FileName name);

    /// <summary>The entries now, without "." and "..". A listing keeps the answer from its beginning to its end.</summary>
    public abstract IReadOnlyList<SyntheticEntry> List(GuestTask task);

    /// <inheritdoc/>
    public override Result<FileDescription> Open(GuestTask task, PathLocation location, OpenFlags flags) =>
        new SyntheticDirectoryDescription(this, flags, location);
}
