using System.Text;
using Moat.Kernel.Credentials;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Syscalls.Process;

/// <summary>prctl(2): the options that concern a task and its process. An option that this kernel does not have gives EINVAL, as in a kernel built without it.</summary>
internal static class Prctl
{
    public static void Register(SyscallTableBuilder table) => table.Add(SyscallNumber.prctl, Run, Arg.PrctlOption, Arg.Hex, Arg.Hex, Arg.Hex, Arg.Hex);

    private static SyscallResult Run(GuestTask task, in SyscallArguments arguments)
    {
        const int TimingStatistical = 0;
        bool hasMore = (arguments[2] | arguments[3] | arguments[4]) != 0;
        bool hasAny = hasMore || arguments[1] != 0;
        switch (arguments.Int(0))
        {
            case 1: // PR_SET_PDEATHSIG
                if (arguments[1] > 64)
                {
                    return Errno.EINVAL;
                }

                task.ParentDeathSignal = (Signal)arguments[1];
                return SyscallResult.Ok;
            case 2: // PR_GET_PDEATHSIG
                return task.Memory.Write(arguments.Address(1), (int)task.ParentDeathSignal);
            case 3: // PR_GET_DUMPABLE
                return task.ThreadGroup.IsDumpable ? 1 : 0;
            case 4: // PR_SET_DUMPABLE
                if (arguments[1] > 1)
                {
                    return Errno.EINVAL;
                }

                task.ThreadGroup.IsDumpable = arguments[1] == 1;
                return SyscallResult.Ok;
            case 7: // PR_GET_KEEPCAPS
                return (task.Credentials.SecureBits & SecureBit.KeepCaps) != 0 ? 1 : 0;
            case 8: // PR_SET_KEEPCAPS
                return SetKeepCaps(task, arguments[1]);
            case 13: // PR_GET_TIMING
                return TimingStatistical;
            case 14: // PR_SET_TIMING
                return arguments[1] == TimingStatistical ? SyscallResult.Ok : Errno.EINVAL;
            case 15: // PR_SET_NAME
                return SetName(task, arguments.Address(1));
            case 16: // PR_GET_NAME
                return GetName(task, arguments.Address(1));
            case 21: // PR_GET_SECCOMP
                return task.Seccomp is null ? 0 : task.Seccomp.Mode;
            case 22: // PR_SET_SECCOMP
                return SeccompCalls.SetByPrctl(task, arguments[1], arguments.Address(2));
            case 23: // PR_CAPBSET_READ
                return arguments[1] > (ulong)Capability.CAP_CHECKPOINT_RESTORE ? Errno.EINVAL : task.Credentials.Bounding.Contains((Capability)arguments[1]) ? 1 : 0;
            case 24: // PR_CAPBSET_DROP
                return DropBounding(task, arguments[1]);
            case 27: // PR_GET_SECUREBITS
                return (int)task.Credentials.SecureBits;
            case 28: // PR_SET_SECUREBITS
                return SetSecureBits(task, arguments[1]);
            case 29: // PR_SET_TIMERSLACK
                const ulong DefaultSlackNs = 50_000;
                task.Scheduling.TimerSlackNs = arguments.Long(1) <= 0 ? DefaultSlackNs : arguments[1];
                return SyscallResult.Ok;
            case 30: // PR_GET_TIMERSLACK
                return (long)Math.Min(task.Scheduling.TimerSlackNs, long.MaxValue);
            case 36: // PR_SET_CHILD_SUBREAPER
                task.ThreadGroup.IsSubreaper = arguments[1] != 0;
                return SyscallResult.Ok;
            case 37: // PR_GET_CHILD_SUBREAPER
                return task.Memory.Write(arguments.Address(1), task.ThreadGroup.IsSubreaper ? 1 : 0);
            case 38: // PR_SET_NO_NEW_PRIVS
                if (arguments[1] != 1 || hasMore)
                {
                    return Errno.EINVAL;
                }

                task.Credentials = task.Credentials with { NoNewPrivileges = true };
                return SyscallResult.Ok;
            case 39: // PR_GET_NO_NEW_PRIVS
                return hasAny ? Errno.EINVAL : task.Credentials.NoNewPrivileges ? 1 : 0;
            case 40: // PR_GET_TID_ADDRESS
                return task.Memory.Write(arguments.Address(1), task.ClearTidAddress.Value);
            case 41: // PR_SET_THP_DISABLE
                if (hasMore)
                {
                    return Errno.EINVAL;
                }

                task.Scheduling.DisablesHugePages = arguments[1] != 0;
                return SyscallResult.Ok;
            case 42: // PR_GET_THP_DISABLE
                return hasAny ? Errno.EINVAL : task.Scheduling.DisablesHugePages ? 1 : 0;
            case 47: // PR_CAP_AMBIENT
                return Ambient(task, arguments);
            default:
                return Errno.EINVAL;
        }
    }

    private static SyscallResult SetName(GuestTask task, GuestAddress address)
    {
        Span<byte> name = stackalloc byte[16];
        int copied = task.Memory.CopyInPartial(address, name);
        if (copied == 0 || (copied < name.Length && name[..copied].IndexOf((byte)0) < 0))
        {
            return Errno.EFAULT;
        }

        task.SetName(name[..copied]);
        return SyscallResult.Ok;
    }

    private static SyscallResult GetName(GuestTask task, GuestAddress address)
    {
        Span<byte> name = stackalloc byte[16];
        name.Clear();
        Encoding.Latin1.GetBytes(task.Name, name);
        return task.Memory.CopyOut(address, name);
    }

    private static SyscallResult SetKeepCaps(GuestTask task, ulong value)
    {
        if (value > 1)
        {
            return Errno.EINVAL;
        }

        TaskCredentials who = task.Credentials;
        if ((who.SecureBits & SecureBit.KeepCapsLocked) != 0)
        {
            return Errno.EPERM;
        }

        task.Credentials = who with { SecureBits = value == 1 ? who.SecureBits | SecureBit.KeepCaps : who.SecureBits & ~SecureBit.KeepCaps };
        return SyscallResult.Ok;
    }

    private static SyscallResult DropBounding(GuestTask task, ulong capability)
    {
        TaskCredentials who = task.Credentials;
        if (!who.HasCapability(Capability.CAP_SETPCAP))
        {
            return Errno.EPERM;
        }

        if (capability > (ulong)Capability.CAP_CHECKPOINT_RESTORE)
        {
            return Errno.EINVAL;
        }

        task.Credentials = who with { Bounding = who.Bounding & ~new CapabilitySet(1UL << (int)capability) };
        return SyscallResult.Ok;
    }

    // capabilities(7), "The securebits flags": a lock keeps its flag and itself.
    private static SyscallResult SetSecureBits(GuestTask task, ulong wanted)
    {
        TaskCredentials who = task.Credentials;
        uint locked = (who.SecureBits & SecureBit.AllLocks) >> 1;
        uint bits = (uint)wanted;
        if ((wanted & ~(ulong)SecureBit.All) != 0 || (locked & (who.SecureBits ^ bits)) != 0 || (who.SecureBits & SecureBit.AllLocks & ~bits) != 0
            || !who.HasCapability(Capability.CAP_SETPCAP))
        {
            return Errno.EPERM;
        }

        task.Credentials = who with { SecureBits = bits };
        return SyscallResult.Ok;
    }

    private static SyscallResult Ambient(GuestTask task, in SyscallArguments arguments)
    {
        const ulong IsSet = 1;
        const ulong Raise = 2;
        const ulong Lower = 3;
        const ulong ClearAll = 4;
        TaskCredentials who = task.Credentials;
        if (arguments[1] == ClearAll)
        {
            if ((arguments[2] | arguments[3] | arguments[4]) != 0)
            {
                return Errno.EINVAL;
            }

            task.Credentials = who with { Ambient = default };
            return SyscallResult.Ok;
        }

        if ((arguments[3] | arguments[4]) != 0 || arguments[2] > (ulong)Capability.CAP_CHECKPOINT_RESTORE)
        {
            return Errno.EINVAL;
        }

        CapabilitySet one = new(1UL << (int)arguments[2]);
        switch (arguments[1])
        {
            case IsSet:
                return (who.Ambient & one).Bits != 0 ? 1 : 0;
            case Raise when (who.Permitted & who.Inheritable & one).Bits == 0 || (who.SecureBits & SecureBit.NoCapAmbientRaise) != 0:
                return Errno.EPERM;
            case Raise:
                task.Credentials = who with { Ambient = who.Ambient | one };
                return SyscallResult.Ok;
            case Lower:
                task.Credentials = who with { Ambient = who.Ambient & ~one };
                return SyscallResult.Ok;
            default:
                return Errno.EINVAL;
        }
    }
}
