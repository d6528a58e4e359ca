using Moat.Linux;

namespace Moat.Kernel.Ipc;

/// <summary>The names of POSIX message queues. Any thread.</summary>
public sealed class PosixQueues
{
    private const int MaxQueues = 256; // fs.mqueue.queues_max
    private const long MaxBytes = 64 << 20; // of all queues when they are full

    private readonly Lock _lock = new();
    private readonly Dictionary<FileName, PosixQueue> _names = []; // guarded by _lock
    private readonly IpcBudget _budget = new(MaxBytes); // guarded by _lock

    /// <summary>mq_open(3): finds a queue, or makes one.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="make">Makes it; null without O_CREAT.</param>
    /// <param name="isExclusive">O_CREAT with O_EXCL.</param>
    /// <param name="isNew">Whether it was made.</param>
    /// <returns>ENOENT, EEXIST, ENOSPC.</returns>
    public Result<PosixQueue> Open(FileName name, Func<PosixQueue>? make, bool isExclusive, out bool isNew)
    {
        isNew = false;
        lock (_lock)
        {
            if (_names.TryGetValue(name, out PosixQueue? found))
            {
                if (isExclusive)
                {
                    return Errno.EEXIST;
                }

                found.Users++;
                return found;
            }

            if (make is null || _names.Count >= MaxQueues)
            {
                return make is null ? Errno.ENOENT : Errno.ENOSPC;
            }

            PosixQueue made = make();
            if (!_budget.TryTake(CostOf(made)))
            {
                return Errno.ENOSPC;
            }

            _names.Add(name, made);
            made.Users++;
            isNew = true;
            return made;
        }
    }

    /// <summary>mq_unlink(3): takes the name away; who has the queue open keeps it.</summary>
    /// <returns>ENOENT; EACCES for another's.</returns>
    public Errno Unlink(FileName name, Credentials.TaskCredentials who)
    {
        lock (_lock)
        {
            if (!_names.TryGetValue(name, out PosixQueue? found))
            {
                return Errno.ENOENT;
            }

            if (!found.IsOwnedBy(who))
            {
                return Errno.EACCES;
            }

            _names.Remove(name);
            found.IsUnlinked = true;
            ReturnIfGone(found);
            return Errno.None;
        }
    }

    /// <summary>Ends what <see cref="Open"/> began.</summary>
    public void Close(PosixQueue queue)
    {
        lock (_lock)
        {
            queue.Users--;
            ReturnIfGone(queue);
        }
    }

    private void ReturnIfGone(PosixQueue queue)
    {
        if (queue.IsUnlinked && queue.Users == 0)
        {
            _budget.Return(CostOf(queue));
        }
    }

    private static long CostOf(PosixQueue queue)
    {
        const int Overhead = 128;
        return (long)queue.MaxMessages * (queue.MaxSize + Overhead);
    }
}
