using System.Globalization;
using Moat.Filesystems.Synthetic;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Kernel.Vfs.Locks;
using Moat.Linux;

namespace Moat.Filesystems.Proc;

/// <summary>/proc/locks: the advisory locks of processes that can be seen (proc(5)).</summary>
internal sealed class LocksFile(ProcFilesystem proc) : SyntheticFile(proc, (Mode)0x124)
{
    /// <inheritdoc/>
    public override Errno Generate(GuestTask task, SyntheticText text)
    {
        int number = 0;
        foreach ((Inode inode, FileLock held, bool waits) in task.Kernel.FileLocks.List())
        {
            int pid = held.Pid > 0 ? proc.Pids.Translate(proc.Kernel, held.Pid) : held.Pid;
            if (pid == 0)
            {
                continue; // of somebody who is not to be seen
            }

            number += waits ? 0 : 1;
            inode.GetAttributes(out InodeAttributes attributes);
            string kind = held.Class switch { LockClass.Posix => "POSIX ", LockClass.OpenFile => "OFDLCK", _ => "FLOCK " };
            string end = held.End == long.MaxValue ? "EOF" : held.End.ToString(CultureInfo.InvariantCulture);
            text.AppendLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{number}:{(waits ? " ->" : "")} {kind} ADVISORY  {(held.Kind == LockKind.Write ? "WRITE" : "READ")} {pid} {attributes.Device.Major:x2}:{attributes.Device.Minor:x2}:{attributes.Inode} {held.Start} {end}"));
        }

        return Errno.None;
    }
}
