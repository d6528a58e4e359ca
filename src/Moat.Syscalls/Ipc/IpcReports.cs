using System.Runtime.InteropServices;
using Moat.Kernel.Credentials;
using Moat.Kernel.Ipc;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Syscalls.Ipc;

/// <summary>What shmctl(2), semctl(2) and msgctl(2) tell of the whole namespace: IPC_INFO, SHM_INFO, SEM_INFO and MSG_INFO. They return the highest index in use.</summary>
internal static class IpcReports
{
    private const int ReadPermission = 0x124;

    /// <summary><c>struct seminfo</c>: the limits, and with <paramref name="usage"/> how many sets and semaphores there are.</summary>
    public static SyscallResult Semaphores(GuestTask task, GuestAddress address, bool usage)
    {
        const int MostOfAll = 1024000000; // SEMMNS
        const int MostOperations = 500; // SEMOPM
        const int UndoBytes = 20; // SEMUSZ
        IpcObjects<SemaphoreSet> sets = task.Ipc.Semaphores;
        int highest;
        int count;
        int all = 0;
        lock (sets.Lock)
        {
            (highest, count) = (sets.HighestIndex, sets.Count);
            foreach (SemaphoreSet set in sets.All)
            {
                all += set.Count;
            }
        }

        ReadOnlySpan<int> info =
        [
            MostOfAll, IpcNamespace.MaxSets, MostOfAll, MostOfAll, IpcNamespace.MaxSets, MostOperations, MostOperations,
            usage ? count : UndoBytes, SemaphoreSet.MaxValue, usage ? all : SemaphoreSet.MaxValue,
        ];
        return Tell(task, address, MemoryMarshal.AsBytes(info), highest);
    }

    /// <summary><c>struct msginfo</c>: the limits, and with <paramref name="usage"/> how many queues, messages and bytes there are.</summary>
    public static SyscallResult Messages(GuestTask task, GuestAddress address, bool usage)
    {
        const int PoolKilobytes = 512000; // MSGPOOL
        const int SegmentBytes = 16; // MSGSSZ
        const int MostSegments = 0xffff; // MSGSEG
        IpcObjects<MessageQueue> queues = task.Ipc.Queues;
        int highest;
        (int Queues, int Messages, int Bytes) held = default;
        lock (queues.Lock)
        {
            highest = queues.HighestIndex;
            held.Queues = queues.Count;
            foreach (MessageQueue queue in queues.All)
            {
                held.Messages += queue.Count;
                held.Bytes += (int)queue.Bytes;
            }
        }

        const int DefaultBytes = (int)MessageQueue.DefaultMaxBytes;
        ReadOnlySpan<int> info =
        [
            usage ? held.Queues : PoolKilobytes, usage ? held.Messages : DefaultBytes, (int)MessageQueues.MaxText, DefaultBytes, IpcNamespace.MaxSets, SegmentBytes,
            usage ? held.Bytes : DefaultBytes, MostSegments,
        ];
        return Tell(task, address, MemoryMarshal.AsBytes(info), highest);
    }

    /// <summary>Answers with what is known of a table, and its highest index.</summary>
    public static SyscallResult Tell(GuestTask task, GuestAddress address, ReadOnlySpan<byte> info, int highest)
    {
        Errno errno = task.Memory.CopyOut(address, info);
        return errno != Errno.None ? errno : Math.Max(0, highest);
    }

    /// <summary>Looks up what a *_STAT command is about. With the table's lock held.</summary>
    /// <param name="objects">The table.</param>
    /// <param name="who">The caller.</param>
    /// <param name="number">An id, or an index.</param>
    /// <param name="byIndex">Whether it is an index (SEM_STAT, MSG_STAT).</param>
    /// <param name="anybody">Whether permission to read is not asked for (SEM_STAT_ANY, MSG_STAT_ANY).</param>
    /// <returns>EINVAL, EACCES.</returns>
    public static Result<T> Find<T>(IpcObjects<T> objects, TaskCredentials who, int number, bool byIndex, bool anybody)
        where T : IpcObject
    {
        Result<T> lookup = byIndex ? objects.FindIndex(number) : objects.Find(number);
        return !lookup.TryGet(out T? found, out Errno errno) ? errno : anybody || found.Allows(who, ReadPermission) ? found : Errno.EACCES;
    }
}
