using Moat.Kernel.Credentials;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Syscalls.Process;

/// <summary>unshare(2), setns(2), personality(2).</summary>
internal static class NamespaceCalls
{
    public static void Register(SyscallTableBuilder table)
    {
        table.Add(SyscallNumber.unshare, Unshare, Arg.CloneFlags);
        table.Add(SyscallNumber.setns, Setns, Arg.Fd, Arg.Hex);
        table.Add(SyscallNumber.personality, Personality, Arg.Hex);
    }

    private static SyscallResult Unshare(GuestTask task, in SyscallArguments arguments)
    {
        const ulong SystemVSemaphores = 0x40000;
        const ulong Known = CloneRequest.FsFlag | CloneRequest.FilesFlag | CloneRequest.Vm | CloneRequest.Sighand | CloneRequest.ThreadFlag | CloneRequest.NewNamespaces | SystemVSemaphores;
        ulong flags = arguments[0];
        if ((flags & ~Known) != 0)
        {
            return Errno.EINVAL;
        }

        if ((flags & (CloneRequest.Vm | CloneRequest.Sighand | CloneRequest.ThreadFlag)) != 0 && task.ThreadGroup.Tasks.Count > 1)
        {
            return Errno.EINVAL;
        }

        ulong namespaces = flags & CloneRequest.NewNamespaces;
        if (namespaces != 0)
        {
            // Only uts can be made so far; the others are refused like a kernel built without them.
            if (!task.Credentials.HasCapability(Capability.CAP_SYS_ADMIN))
            {
                return Errno.EPERM;
            }

            if (namespaces != CloneRequest.NewUts)
            {
                return Errno.EINVAL;
            }
        }

        if ((flags & CloneRequest.FsFlag) != 0)
        {
            FsContext own = task.Fs.Clone();
            task.Fs.RemoveUser();
            task.Fs = own;
        }

        if ((flags & CloneRequest.FilesFlag) != 0 && task.Files.IsShared)
        {
            FdTable own = task.Files.Fork();
            task.Files.RemoveUser(task);
            task.Files = own;
        }

        if (namespaces != 0)
        {
            task.Uts = task.Uts.Clone();
        }

        return SyscallResult.Ok;
    }

    // Namespaces have no files yet that could be opened: every descriptor is of the wrong kind.
    private static SyscallResult Setns(GuestTask task, in SyscallArguments arguments)
    {
        if (!task.Files.Get(arguments.Int(0)).TryGet(out FileDescription? file, out Errno errno))
        {
            return errno;
        }

        file.Release();
        return Errno.EINVAL;
    }

    private static SyscallResult Personality(GuestTask task, in SyscallArguments arguments)
    {
        const uint Ask = uint.MaxValue;
        uint before = task.ThreadGroup.Personality;
        if (arguments.UInt(0) != Ask)
        {
            task.ThreadGroup.Personality = arguments.UInt(0);
        }

        return (long)before;
    }
}
