using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.Tmpfs;

/// <summary>A symbolic link on tmpfs.</summary>
internal sealed class TmpfsSymlink(TmpfsFilesystem filesystem, byte[] target, in NewOwner owner) : TmpfsInode(filesystem, Mode.S_IFLNK | (Mode)0x1FF, owner, 1)
{
    protected override long Size => target.Length;

    public override Result<byte[]> ReadSymlink(GuestTask? task) => target;
}
