using Moat.Filesystems.Proc;
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
            // Mount and uts can be made so far; the others are refused like a kernel built without them.
            if (!task.Credentials.HasCapability(Capability.CAP_SYS_ADMIN))
            {
                return Errno.EPERM;
            }

            if ((namespaces & ~(CloneRequest.NewUts | CloneRequest.NewMounts)) != 0)
            {
                return Errno.EINVAL;
            }
        }

        if ((flags & (CloneRequest.FsFlag | CloneRequest.NewMounts)) != 0 && task.Fs.IsShared)
        {
            FsContext shared = task.Fs;
            task.Fs = shared.Clone();
            shared.RemoveUser();
        }

        if ((namespaces & CloneRequest.NewMounts) != 0)
        {
            Errno errno = task.Fs.UnshareMounts();
            if (errno != Errno.None)
            {
                return errno;
            }
        }

        if ((flags & CloneRequest.FilesFlag) != 0 && task.Files.IsShared)
        {
            FdTable own = task.Files.Fork();
            task.Files.RemoveUser(task);
            task.Files = own;
        }

        if ((namespaces & CloneRequest.NewUts) != 0)
        {
            task.Uts = task.Uts.Clone();
        }

        return SyscallResult.Ok;
    }

    private static SyscallResult Setns(GuestTask task, in SyscallArguments arguments)
    {
        if (!task.Files.Get(arguments.Int(0)).TryGet(out FileDescription? file, out Errno errno))
        {
            return errno;
        }

        ulong type = arguments.UInt(1);
        errno = file is NamespaceDescription named && (type == 0 || type == named.CloneFlag) ? Enter(task, named) : Errno.EINVAL;
        file.Release();
        return errno;
    }

    private static Errno Enter(GuestTask task, NamespaceDescription named)
    {
        TaskCredentials who = task.Credentials;
        if (!who.HasCapability(Capability.CAP_SYS_ADMIN) || (named.Mounts is not null && !who.HasCapability(Capability.CAP_SYS_CHROOT)))
        {
            return Errno.EPERM;
        }

        // Of the other kinds there is one each, or no file that leads to it.
        if (named.Mounts is null || task.Fs.IsShared)
        {
            return Errno.EINVAL;
        }

        task.Fs.Enter(named.Mounts);
        return Errno.None;
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
