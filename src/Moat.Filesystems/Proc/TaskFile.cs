using Moat.Filesystems.Synthetic;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.Proc;

/// <summary>Writes what one file of /proc/PID says about a task.</summary>
internal delegate void TaskContent(GuestTask task, SyntheticText text);

/// <summary>A read-only file about one task; ESRCH once the task has been reaped.</summary>
internal sealed class TaskFile(ProcFilesystem proc, GuestTask task, TaskContent content, Mode permissions) : SyntheticFile(proc, permissions)
{
    /// <inheritdoc/>
    protected override NewOwner Owner => new(task.Credentials.EffectiveUid, task.Credentials.EffectiveGid);

    /// <inheritdoc/>
    public override Errno Generate(GuestTask reader, SyntheticText text)
    {
        if (task.ThreadGroup.IsZombie && task.Kernel.Pids.FindTask(task.Tid) != task)
        {
            return Errno.ESRCH;
        }

        content(task, text);
        return Errno.None;
    }
}
