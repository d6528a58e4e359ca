using Moat.Filesystems.Synthetic;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.Pipe;

/// <summary>The inode of an anonymous pipe.</summary>
internal sealed class PipeInode(PipeFilesystem filesystem, PipeBuffer pipe, NewOwner owner) : SyntheticInode(filesystem, Mode.S_IFIFO | (Mode)0x180)
{
    /// <inheritdoc/>
    protected override NewOwner Owner => owner;

    /// <inheritdoc/>
    public override Result<FileDescription> Open(GuestTask task, PathLocation location, OpenFlags flags) => new PipeDescription(pipe, this, flags, null);
}
