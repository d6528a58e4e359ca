using Moat.Linux;

namespace Moat.Kernel.Vfs;

/// <summary>One instance of a filesystem (a superblock): what a mount shows.</summary>
public abstract class Filesystem
{
    /// <summary>The type's name in /proc/filesystems and /proc/mounts.</summary>
    public abstract string TypeName { get; }

    /// <summary>The device number in <c>st_dev</c>.</summary>
    public abstract DeviceNumber Device { get; }

    /// <summary>Its root directory (or file, for a bind mount of one).</summary>
    public abstract Inode Root { get; }

    /// <summary>The options that /proc/mounts shows after the mount's own, such as <c>size=65536k</c>.</summary>
    public virtual string Options => "";

    /// <summary>Whether a dentry may be trusted without asking the filesystem again. Shared Gofer mounts and proc say false and are asked through <see cref="Inode.Revalidate"/>.</summary>
    public virtual bool IsStable => true;

    /// <summary>The names that are cached, where a name that is forgotten can be looked up again; null where names are kept until they go (<see cref="Inode.Lookup"/> finds the same inode or one that
    /// is as good: whoever keeps an inode keeps a dentry of it).</summary>
    public DentryCache? Names { get; protected init; }

    /// <summary>statfs(2).</summary>
    public abstract Errno GetStatistics(out FilesystemStatistics statistics);

    /// <summary>syncfs(2).</summary>
    public virtual Errno Sync() => Errno.None;

    /// <summary>mount(2) with MS_REMOUNT: changes the filesystem's own options.</summary>
    /// <returns>EINVAL for options that it does not understand or cannot change.</returns>
    public virtual Errno Reconfigure(string options) => options.Length == 0 ? Errno.None : Errno.EINVAL;

    /// <summary>The container that it was made for has gone, and with it whoever could use its files: gives back what it holds of the host and of memory.</summary>
    public virtual void Discard()
    {
    }
}
