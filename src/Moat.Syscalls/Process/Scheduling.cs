using System.Runtime.InteropServices;
using Moat.Kernel.Credentials;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Syscalls.Process;

/// <summary>sched_setscheduler(2), sched_setparam(2), sched_setattr(2), sched_get_priority_max(2), sched_rr_get_interval(2), sched_setaffinity(2), sched_yield(2), getcpu(2).
/// Real-time policies are refused as by a kernel whose real-time bandwidth is used up: EPERM.</summary>
internal static class Scheduling
{
    private const int Fifo = 1;
    private const int RoundRobin = 2;
    private const int Batch = 3;
    private const int Idle = 5;
    private const int Deadline = 6;
    private const int ResetOnFork = 0x40000000;
    private const int MaxRealTime = 99;

    public static void Register(SyscallTableBuilder table)
    {
        table.Add(SyscallNumber.sched_yield, SchedYield);
        table.Add(SyscallNumber.sched_getscheduler, GetScheduler, Arg.Pid);
        table.Add(SyscallNumber.sched_setscheduler, SetScheduler, Arg.Pid, Arg.Int, Arg.Pointer);
        table.Add(SyscallNumber.sched_getparam, GetParam, Arg.Pid, Arg.Pointer);
        table.Add(SyscallNumber.sched_setparam, SetParam, Arg.Pid, Arg.Pointer);
        table.Add(SyscallNumber.sched_getattr, GetAttr, Arg.Pid, Arg.Pointer, Arg.UInt, Arg.Hex);
        table.Add(SyscallNumber.sched_setattr, SetAttr, Arg.Pid, Arg.Pointer, Arg.Hex);
        table.Add(SyscallNumber.sched_get_priority_max, static (GuestTask _, in SyscallArguments arguments) => PriorityLimit(arguments.Int(0), MaxRealTime), Arg.Int);
        table.Add(SyscallNumber.sched_get_priority_min, static (GuestTask _, in SyscallArguments arguments) => PriorityLimit(arguments.Int(0), 1), Arg.Int);
        table.Add(SyscallNumber.sched_rr_get_interval, GetInterval, Arg.Pid, Arg.TimespecOut);
        table.Add(SyscallNumber.sched_getaffinity, GetAffinity, Arg.Pid, Arg.Size, Arg.Pointer);
        table.Add(SyscallNumber.sched_setaffinity, SetAffinity, Arg.Pid, Arg.Size, Arg.Pointer);
        table.Add(SyscallNumber.getcpu, GetCpu, Arg.Pointer, Arg.Pointer, Arg.Pointer);
    }

    /// <summary>Whether the caller may change another task's scheduling.</summary>
    public static bool MayChange(GuestTask task, GuestTask target)
    {
        TaskCredentials who = task.Credentials;
        TaskCredentials other = target.Credentials;
        return who.EffectiveUid == other.EffectiveUid || who.EffectiveUid == other.RealUid || who.HasCapability(Capability.CAP_SYS_NICE);
    }

    private static SyscallResult SchedYield(GuestTask task, in SyscallArguments arguments)
    {
        Thread.Yield();
        return SyscallResult.Ok;
    }

    private static Result<GuestTask> Find(GuestTask task, int pid) =>
        pid < 0 ? Errno.EINVAL : pid == 0 ? task : task.Pids.FindTask(pid) is { HasEnded: false } found ? found : Errno.ESRCH;

    private static SyscallResult GetScheduler(GuestTask task, in SyscallArguments arguments) =>
        Find(task, arguments.Int(0)).TryGet(out GuestTask? target, out Errno errno) ? target.Scheduling.Policy | (target.Scheduling.ResetsOnFork ? ResetOnFork : 0) : errno;

    private static SyscallResult SetScheduler(GuestTask task, in SyscallArguments arguments)
    {
        int policy = arguments.Int(1);
        if (arguments.Address(2).IsNull || arguments.Int(0) < 0 || policy < 0)
        {
            return Errno.EINVAL;
        }

        Errno errno = task.Memory.Read(arguments.Address(2), out int priority);
        if (errno != Errno.None)
        {
            return errno;
        }

        return Find(task, arguments.Int(0)).TryGet(out GuestTask? target, out errno) ? Change(task, target, policy & ~ResetOnFork, priority, (policy & ResetOnFork) != 0, null) : errno;
    }

    private static SyscallResult GetParam(GuestTask task, in SyscallArguments arguments)
    {
        if (arguments.Address(1).IsNull)
        {
            return Errno.EINVAL;
        }

        return Find(task, arguments.Int(0)).TryGet(out _, out Errno errno) ? task.Memory.Write(arguments.Address(1), 0) : errno;
    }

    private static SyscallResult SetParam(GuestTask task, in SyscallArguments arguments)
    {
        if (arguments.Address(1).IsNull || arguments.Int(0) < 0)
        {
            return Errno.EINVAL;
        }

        Errno errno = task.Memory.Read(arguments.Address(1), out int priority);
        if (errno != Errno.None || !Find(task, arguments.Int(0)).TryGet(out GuestTask? target, out errno))
        {
            return errno;
        }

        return Change(task, target, target.Scheduling.Policy, priority, target.Scheduling.ResetsOnFork, null);
    }

    private static SyscallResult GetAttr(GuestTask task, in SyscallArguments arguments)
    {
        uint size = arguments.UInt(2);
        if (arguments.Address(1).IsNull || arguments.Int(0) < 0 || size < AttributeBuffer.FirstSize || size > 4096 || arguments.UInt(3) != 0)
        {
            return Errno.EINVAL;
        }

        if (!Find(task, arguments.Int(0)).TryGet(out GuestTask? target, out Errno errno))
        {
            return errno;
        }

        AttributeBuffer attributes = new()
        {
            Size = Math.Min(size, AttributeBuffer.FullSize),
            Policy = target.Scheduling.Policy,
            Flags = target.Scheduling.ResetsOnFork ? 1UL : 0,
            Nice = target.Scheduling.Policy == Idle ? 0 : target.Scheduling.Nice,
        };
        return task.Memory.CopyOut(arguments.Address(1), MemoryMarshal.AsBytes(new ReadOnlySpan<AttributeBuffer>(in attributes))[..(int)attributes.Size]);
    }

    private static SyscallResult SetAttr(GuestTask task, in SyscallArguments arguments)
    {
        const ulong KnownFlags = 0x7f;
        if (arguments.Address(1).IsNull || arguments.Int(0) < 0 || arguments.UInt(2) != 0)
        {
            return Errno.EINVAL;
        }

        Errno errno = task.Memory.Read(arguments.Address(1), out uint size);
        if (errno != Errno.None)
        {
            return errno;
        }

        size = size == 0 ? AttributeBuffer.FirstSize : size;
        if (size is < AttributeBuffer.FirstSize or > 4096)
        {
            errno = task.Memory.Write(arguments.Address(1), AttributeBuffer.FullSize);
            return errno == Errno.None ? Errno.E2BIG : errno;
        }

        AttributeBuffer attributes = default;
        errno = task.Memory.CopyIn(arguments.Address(1), MemoryMarshal.AsBytes(new Span<AttributeBuffer>(ref attributes))[..(int)Math.Min(size, AttributeBuffer.FullSize)]);
        if (errno != Errno.None)
        {
            return errno;
        }

        if (attributes.Policy < 0 || (attributes.Flags & ~KnownFlags) != 0)
        {
            return Errno.EINVAL;
        }

        return Find(task, arguments.Int(0)).TryGet(out GuestTask? target, out errno)
            ? Change(task, target, attributes.Policy, attributes.Priority, (attributes.Flags & 1) != 0, Math.Clamp(attributes.Nice, -20, 19))
            : errno;
    }

    private static Errno Change(GuestTask task, GuestTask target, int policy, int priority, bool resetsOnFork, int? nice)
    {
        switch (policy)
        {
            case Fifo or RoundRobin:
                return priority is < 1 or > MaxRealTime ? Errno.EINVAL : Errno.EPERM;
            case Deadline:
                return Errno.EPERM;
            case 0 or Batch or Idle when priority == 0:
                break;
            default:
                return Errno.EINVAL;
        }

        TaskScheduling scheduling = target.Scheduling;
        bool privileged = task.Credentials.HasCapability(Capability.CAP_SYS_NICE);
        if (!MayChange(task, target) || (!privileged && ((nice < scheduling.Nice && !Priorities.MayLower(target, nice.Value)) || (scheduling.ResetsOnFork && !resetsOnFork))))
        {
            return Errno.EPERM;
        }

        scheduling.Policy = policy;
        scheduling.ResetsOnFork = resetsOnFork;
        scheduling.Nice = nice ?? scheduling.Nice;
        return Errno.None;
    }

    private static SyscallResult PriorityLimit(int policy, int realTime) => policy switch
    {
        Fifo or RoundRobin => realTime,
        0 or Batch or Idle or Deadline => 0,
        _ => Errno.EINVAL,
    };

    private static SyscallResult GetInterval(GuestTask task, in SyscallArguments arguments)
    {
        const long SliceNs = 4_000_000;
        return Find(task, arguments.Int(0)).TryGet(out GuestTask? target, out Errno errno)
            ? task.Memory.Write(arguments.Address(1), new Timespec(0, target.Scheduling.Policy == Idle ? 0 : SliceNs))
            : errno;
    }

    private static SyscallResult GetAffinity(GuestTask task, in SyscallArguments arguments)
    {
        int words = WordsOf(task);
        if (arguments.Size(1) % sizeof(ulong) != 0 || arguments.Size(1) < (ulong)(words * sizeof(ulong)))
        {
            return Errno.EINVAL;
        }

        if (!Find(task, arguments.Int(0)).TryGet(out GuestTask? target, out Errno errno))
        {
            return errno == Errno.EINVAL ? Errno.ESRCH : errno;
        }

        Span<ulong> mask = stackalloc ulong[words];
        AllProcessors(task, mask);
        target.Scheduling.Affinity?.CopyTo(mask);
        errno = task.Memory.CopyOut(arguments.Address(2), MemoryMarshal.AsBytes(mask));
        return errno != Errno.None ? errno : words * sizeof(ulong);
    }

    private static SyscallResult SetAffinity(GuestTask task, in SyscallArguments arguments)
    {
        int words = WordsOf(task);
        ulong[] mask = new ulong[words];
        Errno errno = task.Memory.CopyIn(arguments.Address(2), MemoryMarshal.AsBytes(mask.AsSpan())[..(int)Math.Min(arguments.Size(1), (ulong)(words * sizeof(ulong)))]);
        if (errno != Errno.None)
        {
            return errno;
        }

        if (!Find(task, arguments.Int(0)).TryGet(out GuestTask? target, out errno))
        {
            return errno == Errno.EINVAL ? Errno.ESRCH : errno;
        }

        if (!MayChange(task, target))
        {
            return Errno.EPERM;
        }

        Span<ulong> all = stackalloc ulong[words];
        AllProcessors(task, all);
        ulong any = 0;
        for (int i = 0; i < words; i++)
        {
            mask[i] &= all[i];
            any |= mask[i];
        }

        if (any == 0)
        {
            return Errno.EINVAL;
        }

        target.Scheduling.Affinity = mask;
        return SyscallResult.Ok;
    }

    // Which processor of the host runs the task is not known; it is shown on the first that it may use.
    private static SyscallResult GetCpu(GuestTask task, in SyscallArguments arguments)
    {
        int processor = 0;
        if (task.Scheduling.Affinity is { } mask)
        {
            while ((mask[processor / 64] & (1UL << (processor % 64))) == 0)
            {
                processor++;
            }
        }

        Errno errno = arguments.Address(0).IsNull ? Errno.None : task.Memory.Write(arguments.Address(0), processor);
        return errno != Errno.None || arguments.Address(1).IsNull ? errno : task.Memory.Write(arguments.Address(1), 0);
    }

    private static int WordsOf(GuestTask task) => (task.Kernel.Facts.ProcessorCount + 63) / 64;

    private static void AllProcessors(GuestTask task, Span<ulong> mask)
    {
        mask.Clear();
        for (int i = 0; i < task.Kernel.Facts.ProcessorCount; i++)
        {
            mask[i / 64] |= 1UL << (i % 64);
        }
    }

    /// <remarks><c>struct sched_attr</c>.</remarks>
    [StructLayout(LayoutKind.Sequential)]
    private struct AttributeBuffer
    {
        public const uint FirstSize = 48;
        public const uint FullSize = 56;

        public uint Size;
        public int Policy;
        public ulong Flags;
        public int Nice;
        public int Priority;
        public ulong Runtime;
        public ulong Deadline;
        public ulong Period;
        public ulong Utilisation;
    }
}
