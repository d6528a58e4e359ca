using Moat.Filesystems.Synthetic;
using Moat.Kernel.Namespaces;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.Proc;

/// <summary>What a link of /proc/PID/ns leads to: a file that stands for a namespace.</summary>
/// <param name="home">nsfs.</param>
/// <param name="name">What the link shows: <c>mnt:[4026531841]</c>.</param>
/// <param name="number">The number in it, which is the inode's.</param>
/// <param name="cloneFlag">Its CLONE_NEW*.</param>
/// <param name="ns">The namespace; null for a kind of which there is one.</param>
internal sealed class NamespaceInode(NamespaceFilesystem home, string name, ulong number, ulong cloneFlag, INamespace? ns) : SyntheticInode(home, Mode.S_IFREG | (Mode)0x124)
{
    private int _mounts; // those that keep the namespace; guarded by the lock of the mount tables

    /// <summary>What the link shows.</summary>
    public string Name => name;

    /// <summary>Its CLONE_NEW*.</summary>
    public ulong CloneFlag => cloneFlag;

    /// <summary>The namespace; null for a kind of which there is one.</summary>
    public INamespace? Namespace => ns;

    /// <inheritdoc/>
    public override bool IsBoundFromAnywhere => true;

    /// <inheritdoc/>
    public override Errno GetAttributes(out InodeAttributes attributes)
    {
        Errno errno = base.GetAttributes(out attributes);
        attributes = attributes with { Inode = number };
        return errno;
    }

    /// <inheritdoc/>
    public override Result<FileDescription> Open(GuestTask task, PathLocation location, OpenFlags flags) =>
        (flags & OpenFlags.O_ACCMODE) != OpenFlags.O_RDONLY ? Errno.EPERM
        : ns is not null && !ns.TryAddUser() ? Errno.ENOENT
        : new NamespaceDescription(this, flags);

    /// <inheritdoc/>
    public override void OnMounted()
    {
        // A namespace that has ended while its file was being mounted stays ended.
        if (_mounts > 0 || ns?.TryAddUser() == true)
        {
            _mounts++;
        }
    }

    /// <inheritdoc/>
    public override void OnUnmounted()
    {
        if (_mounts > 0 && --_mounts == 0)
        {
            ns?.RemoveUser();
        }
    }
}
