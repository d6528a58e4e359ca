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
        Tls = arguments[4],
    });

    private static SyscallResult Clone3(GuestTask task, in SyscallArguments arguments)
    {
        const ulong MinSize = 64;
        const int KnownWords = 11;
        ulong size = arguments.Size(1);
        if (size is < MinSize or > 4096)
        {
            return size < MinSize ? Errno.EINVAL : Errno.E2BIG;
        }

        Span<ulong> words = stackalloc ulong[KnownWords];
        words.Clear();
        Errno errno = task.Memory.CopyIn(arguments.Address(0), System.Runtime.InteropServices.MemoryMarshal.AsBytes(words)[..(int)Math.Min(size, KnownWords * 8)]);
        if (errno != Errno.None)
        {
            return errno;
        }

        (ulong flags, ulong exitSignal, ulong stack, ulong stackSize, ulong setTid) = (words[0], words[4], words[5], words[6], words[8]);
        if ((flags & 0xff) != 0 || exitSignal > 64 || (stack == 0) != (stackSize == 0) || (setTid != 0))
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
            Tls = words[7],
        });
    }

    private static SyscallResult Fork(GuestTask task, in SyscallArguments arguments) => Run(task, new CloneRequest { ExitSignal = Signal.SIGCHLD });

    private static SyscallResult Vfork(GuestTask task, in SyscallArguments arguments) =>
        Run(task, new CloneRequest { Flags = CloneRequest.Vm | CloneRequest.Vfork, ExitSignal = Signal.SIGCHLD });

    private static SyscallResult Run(GuestTask task, CloneRequest request)
    {
        if ((request.Has(CloneRequest.ThreadFlag) && !request.Has(CloneRequest.Sighand)) || (request.Has(CloneRequest.Sighand) && !request.Has(CloneRequest.Vm))
            || (request.Has(CloneRequest.ClearSighand) && request.Has(CloneRequest.Sighand)) || (int)request.ExitSignal > 64)
        {
            return Errno.EINVAL;
        }

        if (request.Has(CloneRequest.NewNamespaces))
        {
            // Of the namespaces only uts can be made so far; the others are refused like a kernel built without them.
            if ((request.Flags & CloneRequest.NewNamespaces) != CloneRequest.NewUts)
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
            return Errno.EINVAL;
        }

        if (request.Has(CloneRequest.ThreadFlag))
        {
            request = request with { ExitSignal = Signal.None };
        }

        return TaskCloner.Clone(task, request).TryGet(out int tid, out Errno errno) ? tid : errno;
    }
}
