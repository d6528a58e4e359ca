using Moat.Filesystems.Synthetic;
using Moat.Kernel.Time;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.Proc;

/// <summary>nsfs: the home of the files that stand for namespaces. There is one, so that device and inode number tell namespaces apart.</summary>
public sealed class NamespaceFilesystem(DeviceNumber device, IKernelClock clock) : SyntheticFilesystem(device, clock)
{
    /// <inheritdoc/>
    public override string TypeName => "nsfs";

    /// <inheritdoc/>
    public override Inode Root => throw new InvalidOperationException("not mountable");

    /// <inheritdoc/>
    protected override long Magic => 0x6e736673;
}
