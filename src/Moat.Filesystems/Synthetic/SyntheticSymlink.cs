using System.Text;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.Synthetic;

/// <summary>A symbolic link with a fixed or computed target.</summary>
public class SyntheticSymlink(SyntheticFilesystem filesystem, Func<GuestTask?, string?> target) : SyntheticInode(filesystem, Mode.S_IFLNK | (Mode)0x1FF)
{
    /// <inheritdoc/>
    public override Result<byte[]> ReadSymlink(GuestTask? task) => target(task) is { } text ? Encoding.UTF8.GetBytes(text) : Errno.ENOENT;
}
