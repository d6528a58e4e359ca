using System.Globalization;
using Moat.Filesystems.Synthetic;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.Proc;

/// <summary>/proc/PID/task: a directory for each thread.</summary>
internal sealed class ThreadDirectory(ProcFilesystem proc, ThreadGroup group) : SyntheticDirectory(proc, (Mode)0x16D)
{
    /// <inheritdoc/>
    public override Result<Inode> Lookup(GuestTask? task, FileName name) =>
        ProcRoot.TryParsePid(name, out int tid) && proc.Pids.FindTask(tid) is { } found && found.ThreadGroup == group
            ? new ProcessDirectory(proc, found, isThread: true)
            : Errno.ENOENT;

    /// <inheritdoc/>
    public override IReadOnlyList<SyntheticEntry> List(GuestTask task)
    {
        List<SyntheticEntry> entries = [];
        foreach (GuestTask thread in group.ListTasks())
        {
            int tid = thread.Id.In(proc.Pids);
            entries.Add(new SyntheticEntry(new FileName(tid.ToString(CultureInfo.InvariantCulture)), (ulong)tid + 0x1000, Mode.S_IFDIR));
        }

        return entries;
    }

    /// <inheritdoc/>
    public override bool Revalidate(FileName name, Inode? child) =>
        child is ProcessDirectory thread && ProcRoot.TryParsePid(name, out int tid) && proc.Pids.FindTask(tid) == thread.Task;
}
