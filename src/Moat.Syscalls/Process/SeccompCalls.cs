using System.Runtime.InteropServices;
using Moat.Kernel.Bpf;
using Moat.Kernel.Credentials;
using Moat.Kernel.Memory;
using Moat.Kernel.Seccomp;
using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Syscalls.Process;

/// <summary>seccomp(2), and prctl(2)'s PR_SET_SECCOMP.</summary>
internal static class SeccompCalls
{
    private const ulong Strict = 0;
    private const ulong Filter = 1;

    public static void Register(SyscallTableBuilder table) => table.Add(SyscallNumber.seccomp, Run, Arg.Int, Arg.Hex, Arg.Pointer);

    /// <summary>PR_SET_SECCOMP.</summary>
    public static SyscallResult SetByPrctl(GuestTask task, ulong mode, GuestAddress program)
    {
        const ulong StrictMode = 1;
        const ulong FilterMode = 2;
        return mode switch
        {
            StrictMode => SetStrict(task),
            FilterMode => SetFilter(task, 0, program),
            _ => Errno.EINVAL,
        };
    }

    private static SyscallResult Run(GuestTask task, in SyscallArguments arguments)
    {
        const uint GetActionAvailable = 2;
        const uint GetNotificationSizes = 3;
        switch (arguments.UInt(0))
        {
            case (uint)Strict:
                return arguments.UInt(1) != 0 || !arguments.Address(2).IsNull ? Errno.EINVAL : SetStrict(task);
            case (uint)Filter:
                return SetFilter(task, arguments.UInt(1), arguments.Address(2));
            case GetActionAvailable:
                return arguments.UInt(1) != 0 ? Errno.EINVAL : IsActionAvailable(task, arguments.Address(2));
            case GetNotificationSizes:
                return Errno.EINVAL; // there are no user notifications
            default:
                return Errno.EINVAL;
        }
    }

    private static Errno SetStrict(GuestTask task)
    {
        if (task.Seccomp is { Mode: not 1 })
        {
            return Errno.EINVAL;
        }

        task.Seccomp ??= SeccompState.Strict;
        return Errno.None;
    }

    private static SyscallResult SetFilter(GuestTask task, uint flags, GuestAddress address)
    {
        const uint Tsync = 1;
        const uint Log = 2;
        const uint SpecAllow = 4;
        const uint TsyncEsrch = 16;
        if ((flags & ~(Tsync | Log | SpecAllow | TsyncEsrch)) != 0)
        {
            return Errno.EINVAL;
        }

        Errno errno = task.Memory.Read(address, out FilterProgram program);
        if (errno != Errno.None)
        {
            return errno;
        }

        if (program.Length is 0 or > BpfProgram.MaxLength)
        {
            return Errno.EINVAL;
        }

        if (!task.Credentials.NoNewPrivileges && !task.Credentials.HasCapability(Capability.CAP_SYS_ADMIN))
        {
            return Errno.EACCES;
        }

        BpfInstruction[] instructions = new BpfInstruction[program.Length];
        errno = task.Memory.CopyIn(program.Instructions, MemoryMarshal.AsBytes(instructions.AsSpan()));
        if (errno != Errno.None)
        {
            return errno;
        }

        if (BpfProgram.CheckCalls(instructions) is not { } filter || task.Seccomp is { Mode: 1 })
        {
            return Errno.EINVAL;
        }

        AllowedCalls allowed = AllowedCalls.Of(filter);
        lock (task.Kernel.TaskLock)
        {
            SeccompState? before = task.Seccomp;
            if ((flags & Tsync) != 0 && FindDissenter(task) is { } dissenter)
            {
                return (flags & TsyncEsrch) != 0 ? Errno.ESRCH : dissenter.Tid;
            }

            if (!SeccompState.Add(before, filter, allowed, (flags & Log) != 0).TryGet(out SeccompState? added, out errno))
            {
                return errno;
            }

            task.Seccomp = added;
            if ((flags & Tsync) != 0)
            {
                foreach (GuestTask other in task.ThreadGroup.Tasks)
                {
                    other.Seccomp = added;
                    if (other != task)
                    {
                        other.Context.Interrupt(); // its processor may be answering calls itself
                    }

                    if (task.Credentials.NoNewPrivileges && other != task)
                    {
                        other.Credentials = other.Credentials with { NoNewPrivileges = true };
                    }
                }
            }
        }

        return SyscallResult.Ok;
    }

    // A task of the process whose filters are not among the caller's.
    private static GuestTask? FindDissenter(GuestTask task)
    {
        foreach (GuestTask other in task.ThreadGroup.Tasks)
        {
            if (other != task && other.Seccomp is { } theirs && (task.Seccomp is null || !task.Seccomp.Extends(theirs)))
            {
                return other;
            }
        }

        return null;
    }

    private static SyscallResult IsActionAvailable(GuestTask task, GuestAddress address)
    {
        Errno errno = task.Memory.Read(address, out uint action);
        return errno != Errno.None ? errno
            : (SeccompAction)action is SeccompAction.KillProcess or SeccompAction.KillThread or SeccompAction.Trap or SeccompAction.Errno or SeccompAction.Trace or SeccompAction.Log
                or SeccompAction.Allow ? Errno.None : Errno.EOPNOTSUPP;
    }
}
