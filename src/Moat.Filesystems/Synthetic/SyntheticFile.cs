using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.Synthetic;

/// <summary>A file whose content is computed when it is read.</summary>
public abstract class SyntheticFile(SyntheticFilesystem filesystem, Mode permissions)
    : SyntheticInode(filesystem, Mode.S_IFREG | permissions)
{
    /// <summary>The largest write that is accepted: a page, as Linux's own files take.</summary>
    internal const int MaxWrite = 4096;

    /// <summary>Writes the content.</summary>
    /// <returns>ESRCH and the like where what it describes has gone.</returns>
    public abstract Errno Generate(GuestTask task, SyntheticText text);

    /// <summary>Takes what was written in one write(2); EINVAL for what it does not understand.</summary>
    public virtual Errno Store(GuestTask task, ReadOnlySpan<byte> value) => Errno.EACCES;

    /// <inheritdoc/>
    public override Errno SetAttributes(GuestTask task, in AttributeChange change) =>
        change is { Size: not null, Permissions: null, Uid: null, Gid: null } ? Errno.None : Errno.EPERM;

    /// <inheritdoc/>
    public override Result<FileDescription> Open(GuestTask task, PathLocation location, OpenFlags flags) =>
        new SyntheticFileDescription(this, flags, location);
}
