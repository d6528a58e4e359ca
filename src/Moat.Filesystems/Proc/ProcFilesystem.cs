using Moat.Filesystems.Synthetic;
using Moat.Kernel;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.Proc;

/// <summary>procfs (proc(5)) for one pid namespace.</summary>
public sealed class ProcFilesystem : SyntheticFilesystem
{
    /// <summary>Makes the instance.</summary>
    /// <param name="kernel">What it tells of.</param>
    /// <param name="device">Its device number.</param>
    public ProcFilesystem(SentryKernel kernel, DeviceNumber device)
        : base(device, kernel.Clock)
    {
        Kernel = kernel;
        Root = new ProcRoot(this);
    }

    /// <inheritdoc/>
    public override string TypeName => "proc";

    /// <inheritdoc/>
    public override bool IsStable => false;

    /// <inheritdoc/>
    public override Inode Root { get; }

    /// <summary>What it tells of.</summary>
    internal SentryKernel Kernel { get; }

    /// <inheritdoc/>
    protected override long Magic => 0x9fa0;
}
