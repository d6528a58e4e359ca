using Moat.Filesystems.Synthetic;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.Pipe;

/// <summary>The inode of an anonymous pipe.</summary>
internal sealed class PipeInode(PipeFilesystem filesystem, NewOwner owner) : SyntheticInode(filesystem, Mode.S_IFIFO | (Mode)0x180)
{
    /// <inheritdoc/>
    protected override NewOwner Owner => owner;
}
