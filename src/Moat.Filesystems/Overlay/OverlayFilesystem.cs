using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.Overlay;

/// <summary>A writable view of two filesystems: what is never changed comes from the lower one, changes go to the upper one.</summary>
/// <remarks>The upper one belongs to the overlay alone and starts empty. Which lower names are gone is kept in the Sentry's memory, not as entries of the upper one, so the pair cannot be
/// mounted again later. As on Linux's overlayfs (Documentation/filesystems/overlayfs.rst), a mapping made before a file's first change keeps showing the lower file, and the first
/// change of a lower file with several names parts it from the others. Directories can be renamed, and descriptors opened for reading do see later changes.</remarks>
public sealed class OverlayFilesystem : Filesystem
{
    private static readonly FileName s_layerName = new("overlay");

    private readonly Filesystem _upper;
    private readonly Mount _lowerMount;
    private readonly Mount _upperMount;

    /// <summary>Puts an empty, writable filesystem over another, which nobody changes from now on.</summary>
    /// <param name="lower">What is seen through.</param>
    /// <param name="upper">Takes the changes; its root has the mode and owner that the overlay's root shall have.</param>
    /// <param name="device">The device number shown for all files.</param>
    public OverlayFilesystem(Filesystem lower, Filesystem upper, DeviceNumber device)
    {
        _upper = upper;
        _lowerMount = new Mount(lower, new Dentry(null, new FileName("/"), lower.Root), MountFlags.ReadOnly);
        _upperMount = new Mount(upper, new Dentry(null, new FileName("/"), upper.Root), MountFlags.NoAtime); // the overlay's own mount says when times move
        Device = device;
        Names = new DentryCache();
        Root = OverlayInode.MakeRoot(this, lower.Root, upper.Root);
    }

    /// <inheritdoc/>
    public override string TypeName => "overlay";

    /// <inheritdoc/>
    public override DeviceNumber Device { get; }

    /// <inheritdoc/>
    public override Inode Root { get; }

    /// <summary>Serialises copying up and all changes of which inode has which upper one. Taken below the overlay's directory locks and above those of the two layers.</summary>
    internal Lock CopyLock { get; } = new();

    /// <inheritdoc/>
    public override Errno GetStatistics(out FilesystemStatistics statistics)
    {
        Errno errno = _upper.GetStatistics(out statistics);
        statistics.Magic = 0x794c7630; // OVERLAYFS_SUPER_MAGIC
        return errno;
    }

    /// <inheritdoc/>
    public override void Discard()
    {
        _upper.Discard();
        _lowerMount.Filesystem.Discard();
    }

    /// <summary>A place for opening a file of a layer.</summary>
    /// <param name="layerInode">The file.</param>
    /// <param name="known">What it was last opened as, or that of its other layer: used again if it fits.</param>
    internal PathLocation PlaceOf(Inode layerInode, Dentry? known = null)
    {
        Mount mount = layerInode.Filesystem == _upper ? _upperMount : _lowerMount;
        return new PathLocation(mount, known?.Inode == layerInode ? known : new Dentry(mount.Root, s_layerName, layerInode));
    }
}
