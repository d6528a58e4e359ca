using System.Buffers.Binary;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Linux;
using Moat.Platform;

namespace Moat.Kernel.Futex;

/// <summary>All futexes of the sandbox (futex(2)): queues of waiters by key.</summary>
public sealed class FutexTable
{
    /// <summary>FUTEX_BITSET_MATCH_ANY.</summary>
    public const uint AnyBit = uint.MaxValue;

    private const uint OwnerDied = 0x40000000;
    private const uint Waiters = 0x80000000;
    private const uint TidMask = 0x3fffffff;
    private const int MaxRobustEntries = 2048;
    private const int MaxSpare = 64;

    private readonly Lock _lock = new();
    private readonly Dictionary<FutexKey, FutexQueue> _queues = []; // guarded by _lock
    private readonly Stack<FutexQueue> _spare = []; // empty queues, guarded by _lock

    /// <summary>FUTEX_WAIT and FUTEX_WAIT_BITSET: sleeps if the word still has the expected value.</summary>
    /// <returns>None when woken; EAGAIN if the value differs; ETIMEDOUT; ERESTARTSYS.</returns>
    public Errno Wait(GuestTask task, GuestAddress address, bool isPrivate, uint expected, uint bitset, long deadlineNs)
    {
        if (!task.Memory.AcquireWordPage(address, write: false).TryGet(out int page, out Errno errno))
        {
            return errno;
        }

        FutexKey key = KeyOf(task.Memory, address, isPrivate);
        FutexWaiter waiter = task.FutexWaiter;
        lock (_lock)
        {
            uint value = Volatile.Read(ref task.Memory.WordIn(page, address));
            task.Memory.ReleasePage(page);
            if (value != expected)
            {
                return Errno.EAGAIN;
            }

            waiter.Bitset = bitset;
            QueueOf(key).Add(waiter);
        }

        errno = Errno.None;
        while (errno == Errno.None)
        {
            lock (_lock)
            {
                if (waiter.Queue is null)
                {
                    return Errno.None;
                }
            }

            errno = task.Block(deadlineNs);
        }

        lock (_lock)
        {
            if (waiter.Queue is null)
            {
                return Errno.None;
            }

            Remove(waiter);
            return errno;
        }
    }

    /// <summary>FUTEX_WAKE and FUTEX_WAKE_BITSET. EFAULT and EINVAL as for any futex word.</summary>
    public SyscallResult Wake(MemoryManager memory, GuestAddress address, bool isPrivate, int count, uint bitset)
    {
        if (address.Value % sizeof(uint) != 0)
        {
            return Errno.EINVAL;
        }

        FutexKey key = KeyOf(memory, address, isPrivate);
        PendingWakes wakes = default;
        int woken;
        lock (_lock)
        {
            woken = WakeLocked(key, count, bitset, ref wakes);
        }

        wakes.Flush();
        return woken;
    }

    /// <summary>Wakes waiters of either kind on an address of ours (CLONE_CHILD_CLEARTID).</summary>
    public void Wake(MemoryManager memory, GuestAddress address, int count)
    {
        if (Wake(memory, address, isPrivate: false, count, AnyBit).Raw == 0)
        {
            Wake(memory, address, isPrivate: true, count, AnyBit);
        }
    }

    /// <summary>FUTEX_REQUEUE and FUTEX_CMP_REQUEUE: wakes some, moves others to a second word.</summary>
    public SyscallResult Requeue(GuestTask task, GuestAddress from, GuestAddress to, bool isPrivate, int wake, int move, uint? expected)
    {
        if (wake < 0 || move < 0)
        {
            return Errno.EINVAL;
        }

        if (!task.Memory.AcquireWordPage(from, write: false).TryGet(out int page, out Errno errno))
        {
            return errno;
        }

        if (!isPrivate && task.Memory.Read(to, out uint _) is var failure and not Errno.None)
        {
            task.Memory.ReleasePage(page);
            return failure;
        }

        FutexKey source = KeyOf(task.Memory, from, isPrivate);
        FutexKey target = KeyOf(task.Memory, to, isPrivate);
        PendingWakes wakes = default;
        int woken;
        int moved = 0;
        lock (_lock)
        {
            uint value = Volatile.Read(ref task.Memory.WordIn(page, from));
            task.Memory.ReleasePage(page);
            if (expected is { } wanted && value != wanted)
            {
                return Errno.EAGAIN;
            }

            woken = WakeLocked(source, wake, AnyBit, ref wakes);
            while (moved < move && _queues.TryGetValue(source, out FutexQueue? queue) && queue.First is { } waiter)
            {
                Remove(waiter);
                QueueOf(target).Add(waiter);
                moved++;
            }
        }

        wakes.Flush();
        return woken + (expected is null ? 0 : moved);
    }

    /// <summary>FUTEX_WAKE_OP: changes a second word atomically, wakes on the first, and on the second if its old value compares.</summary>
    public SyscallResult WakeOp(GuestTask task, GuestAddress first, GuestAddress second, bool isPrivate, int wakeFirst, int wakeSecond, uint operation)
    {
        if (!task.Memory.AcquireWordPage(second, write: true).TryGet(out int page, out Errno errno))
        {
            return errno;
        }

        int operand = (int)(operation << 8) >> 20;
        int compareOperand = (int)(operation << 20) >> 20;
        uint kind = (operation >> 28) & 0xf;
        if ((kind & 8) != 0)
        {
            operand = 1 << (operand & 31);
        }

        ref uint word = ref task.Memory.WordIn(page, second);
        uint before;
        uint after;
        do
        {
            before = Volatile.Read(ref word);
            uint? computed = (kind & 7) switch
            {
                0 => (uint)operand,
                1 => before + (uint)operand,
                2 => before | (uint)operand,
                3 => before & ~(uint)operand,
                4 => before ^ (uint)operand,
                _ => null,
            };
            if (computed is null)
            {
                task.Memory.ReleasePage(page);
                return Errno.ENOSYS;
            }

            after = computed.Value;
        }
        while (Interlocked.CompareExchange(ref word, after, before) != before);
        task.Memory.ReleasePage(page);
        bool? holds = ((operation >> 24) & 0xf) switch
        {
            0 => (int)before == compareOperand,
            1 => (int)before != compareOperand,
            2 => (int)before < compareOperand,
            3 => (int)before <= compareOperand,
            4 => (int)before > compareOperand,
            5 => (int)before >= compareOperand,
            _ => null,
        };
        if (holds is null)
        {
            return Errno.ENOSYS;
        }

        PendingWakes wakes = default;
        int woken;
        lock (_lock)
        {
            woken = WakeLocked(KeyOf(task.Memory, first, isPrivate), wakeFirst, AnyBit, ref wakes);
            woken += holds.Value ? WakeLocked(KeyOf(task.Memory, second, isPrivate), wakeSecond, AnyBit, ref wakes) : 0;
        }

        wakes.Flush();
        return woken;
    }

    /// <summary>A task ends: locks on its robust list are marked and one waiter of each is woken (<c>Documentation/locking/robust-futexes</c>). The list is the application's and bounded here.</summary>
    public void ReleaseRobustList(GuestTask task)
    {
        Span<byte> head = stackalloc byte[24];
        GuestAddress list = task.RobustList;
        if (list.IsNull || task.Memory.CopyIn(list, head) != Errno.None)
        {
            return;
        }

        ulong entry = BinaryPrimitives.ReadUInt64LittleEndian(head);
        ulong offset = BinaryPrimitives.ReadUInt64LittleEndian(head[8..]);
        ulong pending = BinaryPrimitives.ReadUInt64LittleEndian(head[16..]);
        for (int i = 0; i < MaxRobustEntries && (entry & ~1UL) != list.Value; i++)
        {
            if (entry != pending)
            {
                MarkDead(task, new GuestAddress((entry & ~1UL) + offset));
            }

            if (task.Memory.Read(new GuestAddress(entry & ~1UL), out entry) != Errno.None)
            {
                return;
            }
        }

        if (pending != 0)
        {
            MarkDead(task, new GuestAddress((pending & ~1UL) + offset));
        }
    }

    private void MarkDead(GuestTask task, GuestAddress address)
    {
        if (!task.Memory.AcquireWordPage(address, write: true).TryGet(out int page, out _))
        {
            return;
        }

        ref uint word = ref task.Memory.WordIn(page, address);
        uint value;
        do
        {
            value = Volatile.Read(ref word);
            if ((value & TidMask) != (uint)task.Tid)
            {
                task.Memory.ReleasePage(page);
                return;
            }
        }
        while (Interlocked.CompareExchange(ref word, (value & Waiters) | OwnerDied, value) != value);
        task.Memory.ReleasePage(page);
        if ((value & Waiters) != 0)
        {
            Wake(task.Memory, address, 1);
        }
    }

    private static FutexKey KeyOf(MemoryManager memory, GuestAddress address, bool isPrivate) =>
        !isPrivate && memory.TryGetSharedIdentity(address, out IMappable? file, out ulong offset) ? new FutexKey(file!, offset) : new FutexKey(memory, address.Value);

    private FutexQueue QueueOf(FutexKey key)
    {
        if (!_queues.TryGetValue(key, out FutexQueue? queue))
        {
            queue = _spare.TryPop(out FutexQueue? spare) ? spare : new FutexQueue();
            queue.Key = key;
            _queues.Add(key, queue);
        }

        return queue;
    }

    private int WakeLocked(FutexKey key, int count, uint bitset, ref PendingWakes wakes)
    {
        if (!_queues.TryGetValue(key, out FutexQueue? queue))
        {
            return 0;
        }

        int woken = 0;
        FutexWaiter? next;
        for (FutexWaiter? waiter = queue.First; waiter is not null && woken < count; waiter = next)
        {
            next = FutexQueue.After(waiter);
            if ((waiter.Bitset & bitset) == 0)
            {
                continue;
            }

            Remove(waiter);
            waiter.Task.Unblock(ref wakes);
            woken++;
        }

        return woken;
    }

    // An empty queue goes with its last waiter; what it named is not held any longer.
    private void Remove(FutexWaiter waiter)
    {
        FutexQueue queue = waiter.Queue!;
        queue.Remove(waiter);
        if (queue.First is null)
        {
            _queues.Remove(queue.Key);
            queue.Key = default;
            if (_spare.Count < MaxSpare)
            {
                _spare.Push(queue);
            }
        }
    }
}
