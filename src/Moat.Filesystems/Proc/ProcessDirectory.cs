using Moat.Filesystems.Synthetic;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.Proc;

/// <summary>/proc/PID, and with fewer entries /proc/PID/task/TID. It stays usable after the process has gone: its files then give ESRCH.</summary>
/// <param name="proc">The instance.</param>
/// <param name="task">The task; for a process its leader.</param>
/// <param name="isThread">Whether this is below task/.</param>
internal sealed class ProcessDirectory(ProcFilesystem proc, GuestTask task, bool isThread = false) : SyntheticDirectory(proc, (Mode)0x16D), IProcessInode
{
    /// <summary>The task it tells of.</summary>
    public GuestTask Task => task;

    /// <inheritdoc/>
    public ThreadGroup? Process => isThread || task.ThreadGroup.Leader != task ? null : task.ThreadGroup;

    /// <inheritdoc/>
    protected override NewOwner Owner => new(task.Credentials.EffectiveUid, task.Credentials.EffectiveGid);

    private ProcessEntries Entries => isThread ? ProcessEntries.OfThreads : ProcessEntries.OfProcesses;

    /// <inheritdoc/>
    public override Result<Inode> Lookup(GuestTask? reader, FileName name) => Entries.Make(name, proc, task) is { } entry ? entry : Errno.ENOENT;

    /// <inheritdoc/>
    public override IReadOnlyList<SyntheticEntry> List(GuestTask reader) => Entries.List;
}
