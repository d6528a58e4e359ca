using System.Globalization;
using System.Text;
using Moat.Filesystems.Synthetic;
using Moat.Kernel.Ipc;

namespace Moat.Filesystems.Proc;

/// <summary>/proc/sysvipc: the System V objects (proc_sysvipc(5)).</summary>
internal static class SysvipcFiles
{
    /// <summary>The directory.</summary>
    public static StaticDirectory Make(ProcFilesystem proc) => new StaticDirectory(proc)
        .Add("msg", new TextFile(proc, static task => Queues(task.Ipc)))
        .Add("sem", new TextFile(proc, static task => Sets(task.Ipc)))
        .Add("shm", new TextFile(proc, static task => Segments(task.Ipc)));

    private static string Queues(IpcNamespace ipc)
    {
        StringBuilder text = new("       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  cgid      stime      rtime      ctime\n");
        lock (ipc.Queues.Lock)
        {
            foreach (MessageQueue queue in ipc.Queues.All)
            {
                text.Append(CultureInfo.InvariantCulture, $"{queue.Key,10} {queue.Id,10}  {Octal(queue.Mode),4}  {queue.Bytes,10} {queue.Count,10} {queue.LastSender,5} {queue.LastReceiver,5} {Owners(queue)} ");
                text.Append(CultureInfo.InvariantCulture, $"{queue.SendTime,10} {queue.ReceiveTime,10} {queue.ChangeTime,10}\n");
            }
        }

        return text.ToString();
    }

    private static string Sets(IpcNamespace ipc)
    {
        StringBuilder text = new("       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime\n");
        lock (ipc.Semaphores.Lock)
        {
            foreach (SemaphoreSet set in ipc.Semaphores.All)
            {
                text.Append(CultureInfo.InvariantCulture, $"{set.Key,10} {set.Id,10}  {Octal(set.Mode),4} {set.Count,10} {Owners(set)} {set.OperationTime,10} {set.ChangeTime,10}\n");
            }
        }

        return text.ToString();
    }

    private static string Segments(IpcNamespace ipc)
    {
        const uint Doomed = 0x200; // SHM_DEST
        StringBuilder text = new("       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid      atime      dtime      ctime                   rss                  swap\n");
        lock (ipc.Segments.Lock)
        {
            foreach (SharedMemorySegment segment in ipc.Segments.All)
            {
                string mode = Octal(segment.Mode | (segment.IsDoomed ? Doomed : 0));
                text.Append(CultureInfo.InvariantCulture, $"{segment.Key,10} {segment.Id,10}  {mode,4} {segment.Size,21} {segment.CreatorPid,5} {segment.LastPid,5}  {segment.Attached,5} {Owners(segment)} ");
                text.Append(CultureInfo.InvariantCulture, $"{segment.AttachTime,10} {segment.DetachTime,10} {segment.ChangeTime,10} {segment.ResidentBytes,21} {0,21}\n");
            }
        }

        return text.ToString();
    }

    private static string Owners(IpcObject item) => string.Create(CultureInfo.InvariantCulture, $"{item.Uid,5} {item.Gid,5} {item.CreatorUid,5} {item.CreatorGid,5}");

    private static string Octal(uint mode) => Convert.ToString(mode, 8);
}
