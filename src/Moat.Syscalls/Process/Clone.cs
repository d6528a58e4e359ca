using Moat.Kernel.Credentials;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Syscalls.Process;

/// <summary>clone(2), clone3(2), fork(2), vfork(2).</summary>
internal static class Clone
{
    public static void Register(SyscallTableBuilder table)
    {
        table.Add(SyscallNumber.clone, CloneCall, Arg.CloneFlags, Arg.Pointer, Arg.Pointer, Arg.Pointer, Arg.Hex);
        table.Add(SyscallNumber.clone3, Clone3, Arg.Pointer, Arg.Size);
        table.Add(SyscallNumber.fork, Fork);
        table.Add(SyscallNumber.vfork, Vfork);
    }

    private static SyscallResult CloneCall(GuestTask task, in SyscallArguments arguments) => Run(task, new CloneRequest
    {
        Flags = arguments[0] & 0xffffff00,
        ExitSignal = (Signal)(arguments[0] & 0xff),
        Stack = arguments.Address(1),
        ParentTid = arguments.Address(2),
        ChildTid = arguments.Address(3),
        PidfdAddress = arguments.Address(2),
        Tls = arguments[4],
    });

    private static SyscallResult Clone3(GuestTask task, in SyscallArguments arguments)
    {
        const ulong MinSize = 64;
        const int KnownWords = 11;
        const ulong Detached = 0x00400000;
        Span<ulong> words = stackalloc ulong[KnownWords];
        words.Clear();
        Errno errno = Guest.ReadExtensible(task, arguments.Address(0), arguments.Size(1), MinSize, System.Runtime.InteropServices.MemoryMarshal.AsBytes(words));
        if (errno != Errno.None)
        {
            return errno;
        }

        (ulong flags, ulong exitSignal, ulong stack, ulong stackSize, ulong setTid) = (words[0], words[4], words[5], words[6], words[8]);
        ulong setTidCount = words[9];
        const ulong MaxSetTid = 32;
        if ((setTid == 0) != (setTidCount == 0) || setTidCount > MaxSetTid || (flags & (Detached | 0xff)) != 0 || exitSignal > 64 || (stack == 0) != (stackSize == 0))
        {
            return Errno.EINVAL;
        }

        if ((flags & CloneRequest.IntoCgroup) != 0)
        {
            return Errno.EBADF; // there is no cgroup filesystem whose directory could be named
        }

        if (setTidCount > 0)
        {
            errno = ReadSetTid(task, new GuestAddress(setTid), (int)setTidCount);
            if (errno != Errno.None)
            {
                return errno;
            }
        }

        if ((flags & ~CloneRequest.Known) != 0 || ((flags & CloneRequest.ThreadFlag) != 0 && exitSignal != 0))
        {
            return Errno.EINVAL;
        }

        return Run(task, new CloneRequest
        {
            Flags = flags,
            ExitSignal = (Signal)exitSignal,
            Stack = new GuestAddress(stack + stackSize),
            ChildTid = new GuestAddress(words[2]),
            ParentTid = new GuestAddress(words[3]),
            PidfdAddress = new GuestAddress(words[1]),
            Tls = words[7],
        });
    }

    // A chosen pid needs the capability to restore checkpoints, and this kernel gives out none.
    private static Errno ReadSetTid(GuestTask task, GuestAddress address, int count)
    {
        Errno errno = task.Memory.Read(address, out int tid);
        return errno != Errno.None ? errno : count > 1 || tid < 1 ? Errno.EINVAL : Errno.EPERM;
    }

    private static SyscallResult Fork(GuestTask task, in SyscallArguments arguments) => Run(task, new CloneRequest { ExitSignal = Signal.SIGCHLD });

    private static SyscallResult Vfork(GuestTask task, in SyscallArguments arguments) =>
        Run(task, new CloneRequest { Flags = CloneRequest.Vm | CloneRequest.Vfork, ExitSignal = Signal.SIGCHLD });

    // RLIMIT_NPROC counts the tasks of the real user; root and the like are not held by it (getrlimit(2)).
    private static bool IsAtProcessLimit(GuestTask task)
    {
        TaskCredentials who = task.Credentials;
        ulong limit = task.ThreadGroup.Limits.Get(ResourceLimits.Processes).Current;
        if (limit == ResourceLimit.Infinity || who.RealUid == 0 || who.HasCapability(Capability.CAP_SYS_RESOURCE) || who.HasCapability(Capability.CAP_SYS_ADMIN))
        {
            return false;
        }

        ulong count = 0;
        lock (task.Kernel.TaskLock)
        {
            foreach (ThreadGroup process in task.Kernel.Pids.ListProcesses())
            {
                foreach (GuestTask other in process.Tasks)
                {
                    count += other.Credentials.RealUid == who.RealUid ? 1UL : 0;
                }
            }
        }

        return count >= limit;
    }

    private static SyscallResult Run(GuestTask task, CloneRequest request)
    {
        if ((request.Has(CloneRequest.ThreadFlag) && !request.Has(CloneRequest.Sighand)) || (request.Has(CloneRequest.Sighand) && !request.Has(CloneRequest.Vm))
            || (request.Has(CloneRequest.ClearSighand) && request.Has(CloneRequest.Sighand)) || (int)request.ExitSignal > 64)
        {
            return Errno.EINVAL;
        }

        // Threads are where their process is; the first process of a namespace is nobody's brother; a list of adjustments is of one namespace.
        if ((request.Has(CloneRequest.ThreadFlag) && (request.Has(CloneRequest.NewPids) || task.PidsForChildren != task.Pids)) || (request.Has(CloneRequest.ParentFlag) && task.Pids.Init == task.ThreadGroup)
            || (request.Has(CloneRequest.NewIpc) && request.Has(CloneRequest.SystemVSemaphores)))
        {
            return Errno.EINVAL;
        }

        if (request.Has(CloneRequest.NewNamespaces))
        {
            if ((request.Flags & CloneRequest.NewNamespaces & ~NamespaceCalls.Available) != 0 || (request.Has(CloneRequest.NewMounts) && request.Has(CloneRequest.FsFlag))
                || (request.Has(CloneRequest.NewPids) && task.PidsForChildren != task.Pids))
            {
                return Errno.EINVAL;
            }

            if (!task.Credentials.HasCapability(Capability.CAP_SYS_ADMIN))
            {
                return Errno.EPERM;
            }
        }

        if (request.Has(CloneRequest.PidFd))
        {
            if (request.Has(CloneRequest.ThreadFlag) || (request.Has(CloneRequest.ParentSetTid) && request.PidfdAddress == request.ParentTid))
            {
                return Errno.EINVAL;
            }

            request = request with { MakePidfd = static (parent, process) => PidfdCalls.Make(parent, process, 0) };
        }

        if (request.Has(CloneRequest.ThreadFlag))
        {
            request = request with { ExitSignal = Signal.None };
        }

        if (IsAtProcessLimit(task))
        {
            return Errno.EAGAIN;
        }

        return TaskCloner.Clone(task, request).TryGet(out int tid, out Errno errno) ? tid : errno;
    }
}
