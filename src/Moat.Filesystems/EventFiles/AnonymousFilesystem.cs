using Moat.Filesystems.Synthetic;
using Moat.Kernel;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.EventFiles;

/// <summary>The home of files without a place, such as eventfds and epoll instances; mounted nowhere. They share one inode, as in Linux.</summary>
public sealed class AnonymousFilesystem : SyntheticFilesystem
{
    /// <summary>Makes the one instance of a kernel.</summary>
    public AnonymousFilesystem(SentryKernel kernel)
        : base(new DeviceNumber(0, (uint)kernel.NextAnonymousDevice()), kernel.Clock) => Inode = new AnonymousInode(this);

    /// <inheritdoc/>
    public override string TypeName => "anon_inodefs";

    /// <inheritdoc/>
    public override Inode Root => throw new InvalidOperationException("not mountable");

    /// <summary>The inode of all of them.</summary>
    public Inode Inode { get; }

    /// <inheritdoc/>
    protected override long Magic => 0x09041934;

    private sealed class AnonymousInode(AnonymousFilesystem filesystem) : SyntheticInode(filesystem, (Mode)0x180);
}
