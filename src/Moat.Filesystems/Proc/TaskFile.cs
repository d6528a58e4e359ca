using Moat.Filesystems.Synthetic;
using Moat.Kernel.Credentials;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.Proc;

/// <summary>Writes what one file of /proc/PID says about a task.</summary>
internal delegate void TaskContent(GuestTask task, SyntheticText text);

/// <summary>A read-only file about one task; ESRCH once the task has been reaped. A guarded one is for those who may look into the task.</summary>
internal sealed class TaskFile(ProcFilesystem proc, GuestTask task, TaskContent content, Mode permissions, bool isGuarded = false) : SyntheticFile(proc, permissions)
{
    /// <inheritdoc/>
    protected override NewOwner Owner => ProcFilesystem.OwnerOf(task);

    /// <inheritdoc/>
    public override Errno Generate(GuestTask reader, SyntheticText text)
    {
        if (task.ThreadGroup.IsZombie && proc.Pids.FindTask(task.Id.In(proc.Pids)) != task)
        {
            return Errno.ESRCH;
        }

        if (isGuarded && !TraceAccess.IsAllowedByFileIds(reader, task))
        {
            return Errno.EACCES;
        }

        content(task, text);
        return Errno.None;
    }
}
