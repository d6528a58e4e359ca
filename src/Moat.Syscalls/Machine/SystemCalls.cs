using System.Text;
using Moat.Kernel;
using Moat.Kernel.Credentials;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Syscalls.Machine;

/// <summary>uname(2), sethostname(2), setdomainname(2), getrandom(2), sysinfo(2), arch_prctl(2), getrlimit(2), prlimit(2), syslog(2).</summary>
internal static class SystemCalls
{
    public static void Register(SyscallTableBuilder table)
    {
        table.Add(SyscallNumber.uname, Uname, Arg.NamesOut);
        table.Add(SyscallNumber.sethostname, SetHostName, Arg.String, Arg.Size);
        table.Add(SyscallNumber.setdomainname, SetDomainName, Arg.String, Arg.Size);
        table.Add(SyscallNumber.getrandom, GetRandom, Arg.BufferOut, Arg.Size, Arg.Hex);
        table.Add(SyscallNumber.sysinfo, SysInfo, Arg.Pointer);
        table.Add(SyscallNumber.arch_prctl, ArchPrctl, Arg.ArchOption, Arg.Pointer);
        table.Add(SyscallNumber.getrlimit, GetRlimit, Arg.Rlimit, Arg.RlimitOut);
        table.Add(SyscallNumber.setrlimit, SetRlimit, Arg.Rlimit, Arg.RlimitIn);
        table.Add(SyscallNumber.prlimit64, Prlimit, Arg.Pid, Arg.Rlimit, Arg.RlimitIn, Arg.RlimitOut);
        table.Add(SyscallNumber.syslog, Syslog, Arg.Int, Arg.Pointer, Arg.Int);
    }

    private static SyscallResult Uname(GuestTask task, in SyscallArguments arguments)
    {
        const int FieldSize = 65;
        Span<byte> buffer = stackalloc byte[6 * FieldSize];
        buffer.Clear();
        string[] fields = [KernelVersion.SystemName, task.Uts.HostName, KernelVersion.Release, KernelVersion.Version, KernelVersion.Machine, task.Uts.DomainName];
        for (int i = 0; i < fields.Length; i++)
        {
            Encoding.UTF8.GetBytes(fields[i], buffer.Slice(i * FieldSize, FieldSize - 1));
        }

        return task.Memory.CopyOut(arguments.Address(0), buffer);
    }

    private static SyscallResult SetHostName(GuestTask task, in SyscallArguments arguments)
    {
        if (!ReadName(task, arguments).TryGet(out string? name, out Errno errno))
        {
            return errno;
        }

        task.Uts.HostName = name;
        return SyscallResult.Ok;
    }

    private static SyscallResult SetDomainName(GuestTask task, in SyscallArguments arguments)
    {
        if (!ReadName(task, arguments).TryGet(out string? name, out Errno errno))
        {
            return errno;
        }

        task.Uts.DomainName = name;
        return SyscallResult.Ok;
    }

    private static Result<string> ReadName(GuestTask task, in SyscallArguments arguments)
    {
        const int MaxName = 64;
        if (!task.Credentials.HasCapability(Capability.CAP_SYS_ADMIN))
        {
            return Errno.EPERM;
        }

        if (arguments.Int(1) is < 0 or > MaxName)
        {
            return Errno.EINVAL;
        }

        Span<byte> name = stackalloc byte[arguments.Int(1)];
        Errno errno = task.Memory.CopyIn(arguments.Address(0), name);
        return errno == Errno.None ? Encoding.UTF8.GetString(name) : errno;
    }

    private static SyscallResult GetRandom(GuestTask task, in SyscallArguments arguments)
    {
        const uint Known = 7;
        const uint RandomAndInsecure = 6;
        if ((arguments.UInt(2) & ~Known) != 0 || (arguments.UInt(2) & RandomAndInsecure) == RandomAndInsecure)
        {
            return Errno.EINVAL;
        }

        ulong total = Math.Min(arguments.Size(1), int.MaxValue);
        Span<byte> chunk = stackalloc byte[256];
        ulong done = 0;
        while (done < total)
        {
            Span<byte> part = chunk[..(int)Math.Min(total - done, (ulong)chunk.Length)];
            task.Kernel.Random.Fill(part);
            int copied = task.Memory.CopyOutPartial(arguments.Address(0) + done, part);
            done += (ulong)copied;
            if (copied < part.Length)
            {
                return done > 0 ? (long)done : Errno.EFAULT;
            }
        }

        return (long)done;
    }

    private static SyscallResult SysInfo(GuestTask task, in SyscallArguments arguments)
    {
        Span<ulong> info = stackalloc ulong[14];
        info.Clear();
        ulong total = task.Kernel.Facts.MemoryBytes;
        info[0] = (ulong)((task.Kernel.Clock.MonotonicNs - task.Kernel.Facts.BootMonotonicNs) / Timespec.NanosecondsPerSecond);
        (double one, double five, double fifteen) = task.Kernel.Load.Read();
        const double LoadUnit = 1 << 16; // SI_LOAD_SHIFT
        (info[1], info[2], info[3]) = ((ulong)(one * LoadUnit), (ulong)(five * LoadUnit), (ulong)(fifteen * LoadUnit));
        info[4] = total;
        info[5] = total - Math.Min(total, task.Kernel.MemoryFile.UsedBytes);
        info[10] = (ulong)Math.Min(ushort.MaxValue, task.Kernel.Pids.Count);
        info[13] = 1; // mem_unit
        return task.Memory.CopyOut(arguments.Address(0), System.Runtime.InteropServices.MemoryMarshal.AsBytes(info));
    }

    private static SyscallResult ArchPrctl(GuestTask task, in SyscallArguments arguments)
    {
        const int SetGs = 0x1001;
        const int SetFs = 0x1002;
        const int GetFs = 0x1003;
        const int GetGs = 0x1004;
        const int GetCpuid = 0x1011;
        switch (arguments.Int(0))
        {
            case SetGs or SetFs:
                if (arguments[1] >= task.Kernel.Platform.MaxAddress.Value)
                {
                    return Errno.EPERM;
                }

                if (arguments.Int(0) == SetFs)
                {
                    task.Registers.FsBase = arguments[1];
                }
                else
                {
                    task.Registers.GsBase = arguments[1];
                }

                return SyscallResult.Ok;
            case GetFs:
                return task.Memory.Write(arguments.Address(1), task.Registers.FsBase);
            case GetGs:
                return task.Memory.Write(arguments.Address(1), task.Registers.GsBase);
            case GetCpuid:
                return 1;
            default:
                return Errno.EINVAL;
        }
    }

    private static SyscallResult GetRlimit(GuestTask task, in SyscallArguments arguments) =>
        arguments.UInt(0) >= ResourceLimits.Count ? Errno.EINVAL : task.Memory.Write(arguments.Address(1), task.ThreadGroup.Limits.Get(arguments.Int(0)));

    private static SyscallResult SetRlimit(GuestTask task, in SyscallArguments arguments)
    {
        Errno errno = task.Memory.Read(arguments.Address(1), out ResourceLimit limit);
        return errno != Errno.None ? errno : ChangeLimit(task, task.ThreadGroup, arguments.UInt(0), limit);
    }

    private static SyscallResult Prlimit(GuestTask task, in SyscallArguments arguments)
    {
        ThreadGroup? target = arguments.Int(0) == 0 ? task.ThreadGroup : task.Pids.FindTask(arguments.Int(0))?.ThreadGroup;
        if (arguments.UInt(1) >= ResourceLimits.Count)
        {
            return Errno.EINVAL;
        }

        ResourceLimit wanted = default;
        if (!arguments.Address(2).IsNull)
        {
            Errno failure = task.Memory.Read(arguments.Address(2), out wanted);
            if (failure != Errno.None)
            {
                return failure;
            }
        }

        if (target is null)
        {
            return Errno.ESRCH;
        }

        TaskCredentials who = task.Credentials;
        TaskCredentials other = target.Leader.Credentials;
        if (target != task.ThreadGroup && !who.HasCapability(Capability.CAP_SYS_RESOURCE)
            && (who.RealUid != other.RealUid || who.RealUid != other.EffectiveUid || who.RealUid != other.SavedUid))
        {
            return Errno.EPERM;
        }

        ResourceLimit before = target.Limits.Get(arguments.Int(1));
        if (!arguments.Address(2).IsNull)
        {
            Errno failure = ChangeLimit(task, target, arguments.UInt(1), wanted);
            if (failure != Errno.None)
            {
                return failure;
            }
        }

        return arguments.Address(3).IsNull ? Errno.None : task.Memory.Write(arguments.Address(3), before);
    }

    private static Errno ChangeLimit(GuestTask task, ThreadGroup target, uint resource, ResourceLimit limit)
    {
        const ulong MaxOpenFiles = 1 << 20; // fs.nr_open
        if (resource >= ResourceLimits.Count || limit.Current > limit.Maximum)
        {
            return Errno.EINVAL;
        }

        bool raises = limit.Maximum > target.Limits.Get((int)resource).Maximum;
        if ((raises && !task.Credentials.HasCapability(Capability.CAP_SYS_RESOURCE)) || (resource == ResourceLimits.OpenFiles && limit.Maximum > MaxOpenFiles))
        {
            return Errno.EPERM;
        }

        const ulong Shortest = 1;
        bool isCpu = resource == ResourceLimits.Cpu;
        target.Limits.Set((int)resource, isCpu && limit.Current == 0 ? limit with { Current = Shortest } : limit);
        if (isCpu)
        {
            lock (task.Kernel.TaskLock)
            {
                target.Timers.ScheduleCpuCheck();
            }
        }

        return Errno.None;
    }

    private static SyscallResult Syslog(GuestTask task, in SyscallArguments arguments)
    {
        byte[] text = Encoding.ASCII.GetBytes(
            $"<6>[    0.000000] Linux version {KernelVersion.Release} (moat@moat) {KernelVersion.Version}\n"
            + $"<6>[    0.000000] Moat: {task.Kernel.Platform.Name} platform, {task.Kernel.Facts.ProcessorCount} processors, {task.Kernel.Facts.MemoryBytes >> 20} MiB of memory\n"
            + "<6>[    0.000001] Moat: draining the swamp around the host\n<6>[    0.000002] Moat: drawbridge up, running init\n");
        switch (arguments.Int(0))
        {
            case 2 or 3 or 4: // READ, READ_ALL, READ_CLEAR
                if (arguments.Int(2) < 0 || arguments.Address(1).IsNull)
                {
                    return Errno.EINVAL;
                }

                int count = Math.Min(arguments.Int(2), text.Length);
                Errno errno = task.Memory.CopyOut(arguments.Address(1), text.AsSpan(text.Length - count));
                return errno != Errno.None ? errno : count;
            case 10: // SIZE_BUFFER
                return text.Length;
            case 9: // SIZE_UNREAD
                return 0;
            default:
                return Errno.EPERM;
        }
    }
}
