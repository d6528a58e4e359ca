using Moat.Filesystems.Synthetic;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.Proc;

/// <summary>What a link of /proc/PID/ns leads to: a file that stands for a namespace.</summary>
/// <param name="proc">Where it was found.</param>
/// <param name="name">What the link shows: <c>mnt:[4026531841]</c>.</param>
/// <param name="number">The number in it, which is the inode's.</param>
/// <param name="cloneFlag">Its CLONE_NEW*.</param>
/// <param name="mounts">The mount namespace, if it is one.</param>
internal sealed class NamespaceInode(ProcFilesystem proc, string name, ulong number, ulong cloneFlag, MountNamespace? mounts) : SyntheticInode(proc, Mode.S_IFREG | (Mode)0x124)
{
    /// <summary>What the link shows.</summary>
    public string Name => name;

    /// <inheritdoc/>
    public override Errno GetAttributes(out InodeAttributes attributes)
    {
        Errno errno = base.GetAttributes(out attributes);
        attributes = attributes with { Inode = number };
        return errno;
    }

    /// <inheritdoc/>
    public override Result<FileDescription> Open(GuestTask task, PathLocation location, OpenFlags flags) =>
        (flags & OpenFlags.O_ACCMODE) == OpenFlags.O_RDONLY ? new NamespaceDescription(this, cloneFlag, mounts, flags) : Errno.EPERM;
}
