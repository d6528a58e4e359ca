using Moat.Filesystems.Synthetic;
using Moat.Kernel;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.Proc;

/// <summary>procfs (proc(5)) for one pid namespace.</summary>
public sealed class ProcFilesystem : SyntheticFilesystem
{
    /// <summary>Makes the instance.</summary>
    /// <param name="kernel">What it tells of.</param>
    /// <param name="pids">Whose processes it shows: the namespace of whoever mounted it.</param>
    /// <param name="device">Its device number.</param>
    public ProcFilesystem(SentryKernel kernel, PidNamespace pids, DeviceNumber device)
        : base(device, kernel.Clock)
    {
        Kernel = kernel;
        Pids = pids;
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

    /// <summary>Whose processes it shows.</summary>
    internal PidNamespace Pids { get; }

    /// <summary>Who owns the files of a task: root, if nobody but root may look in (proc(5)).</summary>
    internal static NewOwner OwnerOf(GuestTask task) =>
        task.HasEnded || task.ThreadGroup.IsDumpable ? new NewOwner(task.Credentials.EffectiveUid, task.Credentials.EffectiveGid) : default;

    /// <inheritdoc/>
    protected override long Magic => 0x9fa0;
}
