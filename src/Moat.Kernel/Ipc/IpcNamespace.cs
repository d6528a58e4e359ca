using Moat.Collections;
using Moat.Kernel.Credentials;
using Moat.Kernel.Namespaces;
using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Kernel.Ipc;

/// <summary>System V objects and POSIX message queues (ipc_namespaces(7)).</summary>
/// <param name="kernel">The kernel.</param>
/// <param name="id">The number that /proc/PID/ns shows.</param>
public sealed class IpcNamespace(SentryKernel kernel, ulong id) : INamespace
{
    /// <summary>SHMMNI.</summary>
    public const int MaxSegments = 4096;

    /// <summary>SEMMNI and MSGMNI.</summary>
    public const int MaxSets = 32000;

    private const long MaxSemaphores = 1 << 20; // SEMMNS
    private const long MaxAdjustments = 4 << 20;
    private const long MaxMessageBytes = 64 << 20;

    private ulong _segmentBytes; // guarded by Segments.Lock
    private UserCount _users;

    /// <inheritdoc/>
    public ulong Id => id;

    /// <inheritdoc/>
    public ulong CloneFlag => CloneRequest.NewIpc;

    /// <summary>Shared memory.</summary>
    public IpcObjects<SharedMemorySegment> Segments { get; } = new(MaxSegments);

    /// <summary>Semaphore sets.</summary>
    public IpcObjects<SemaphoreSet> Semaphores { get; } = new(MaxSets);

    /// <summary>Message queues.</summary>
    public IpcObjects<MessageQueue> Queues { get; } = new(MaxSets);

    /// <summary>POSIX message queues.</summary>
    public PosixQueues PosixQueues { get; } = new();

    /// <summary>Semaphores of all sets. Guarded by their table's lock.</summary>
    public IpcBudget SemaphoreBudget { get; } = new(MaxSemaphores);

    /// <summary>SEM_UNDO's adjustments of all processes. Guarded by the semaphores' lock.</summary>
    public IpcBudget UndoBudget { get; } = new(MaxAdjustments);

    /// <summary>Bytes of all messages, and of what the kernel keeps beside each. Guarded by the queues' lock.</summary>
    public IpcBudget MessageBudget { get; } = new(MaxMessageBytes);

    /// <summary>A user that another one vouches for, or the first.</summary>
    public void AddUser() => _users.Add();

    /// <inheritdoc/>
    public bool TryAddUser() => _users.TryAdd();

    /// <inheritdoc/>
    public void RemoveUser()
    {
        if (!_users.RemoveLast())
        {
            return;
        }

        // With the last user its segments go; nothing maps them any more.
        lock (Segments.Lock)
        {
            foreach (SharedMemorySegment segment in Segments.All.ToArray())
            {
                segment.Doom();
            }
        }
    }

    /// <summary>Makes a segment. With the table's lock held.</summary>
    /// <returns>ENOSPC when all segments together would be larger than memory.</returns>
    public Result<SharedMemorySegment> MakeSegment(GuestTask task, int key, uint mode, ulong size)
    {
        if (size > kernel.Facts.MemoryBytes || _segmentBytes > kernel.Facts.MemoryBytes - size)
        {
            return size > kernel.Facts.MemoryBytes ? Errno.ENOMEM : Errno.ENOSPC;
        }

        _segmentBytes += size;
        return new SharedMemorySegment(kernel, this, key, task.ThreadGroup.Pid, task.Credentials, mode, size);
    }

    /// <summary>A process ends, or leaves: its semaphore adjustments are undone. Under the task lock.</summary>
    public void OnProcessExit(ThreadGroup process)
    {
        if (!process.HasSemaphoreUndo)
        {
            return;
        }

        lock (Semaphores.Lock)
        {
            foreach (SemaphoreSet set in Semaphores.All)
            {
                set.Undo(process);
            }
        }
    }

    internal void Remove(SharedMemorySegment segment)
    {
        _segmentBytes -= segment.Size;
        Segments.Remove(segment);
    }
}
