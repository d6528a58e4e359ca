using Moat.Kernel.Credentials;
using Moat.Kernel.Ipc;
using Moat.Kernel.Namespaces;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Syscalls.Process;

/// <summary>unshare(2), setns(2), personality(2).</summary>
internal static class NamespaceCalls
{
    /// <summary>The namespaces that can be made; the others are refused like a kernel built without them.</summary>
    public const ulong Available = CloneRequest.NewUts | CloneRequest.NewMounts | CloneRequest.NewNetwork | CloneRequest.NewIpc | CloneRequest.NewPids;

    public static void Register(SyscallTableBuilder table)
    {
        table.Add(SyscallNumber.unshare, Unshare, Arg.CloneFlags);
        table.Add(SyscallNumber.setns, Setns, Arg.Fd, Arg.Hex);
        table.Add(SyscallNumber.personality, Personality, Arg.Hex);
    }

    private static SyscallResult Unshare(GuestTask task, in SyscallArguments arguments)
    {
        const ulong Known = CloneRequest.FsFlag | CloneRequest.FilesFlag | CloneRequest.Vm | CloneRequest.Sighand | CloneRequest.ThreadFlag | CloneRequest.NewNamespaces | CloneRequest.SystemVSemaphores;
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
            if (!task.Credentials.HasCapability(Capability.CAP_SYS_ADMIN))
            {
                return Errno.EPERM;
            }

            if ((namespaces & ~Available) != 0)
            {
                return Errno.EINVAL;
            }
        }

        PidNamespace? pids = null;
        if ((namespaces & CloneRequest.NewPids) != 0)
        {
            // One that has no process yet is not left for another.
            if (task.PidsForChildren != task.Pids)
            {
                return Errno.EINVAL;
            }

            if (!task.Pids.MakeChild(task.Kernel.NamespaceIds).TryGet(out pids, out Errno refused))
            {
                return refused;
            }
        }

        NetworkNamespace? network = null;
        if ((namespaces & CloneRequest.NewNetwork) != 0 && !task.Network.MakeNew(task.Credentials.UserNamespace).TryGet(out network, out Errno failure))
        {
            return failure;
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
                network?.RemoveUser();
                return errno;
            }
        }

        if (network is not null)
        {
            task.EnterNetwork(network);
        }

        if ((flags & CloneRequest.FilesFlag) != 0 && task.Files.IsShared)
        {
            FdTable own = task.Files.Fork();
            task.Files.RemoveUser(task);
            task.Files = own;
        }

        if ((namespaces & CloneRequest.NewUts) != 0)
        {
            task.Uts = task.Uts.Clone(task.Kernel.NamespaceIds);
        }

        if ((namespaces & CloneRequest.NewIpc) != 0)
        {
            IpcNamespace ipc = new(task.Kernel, task.Kernel.NamespaceIds.Next());
            ipc.AddUser();
            EnterIpc(task, ipc);
        }

        task.PidsForChildren = pids ?? task.PidsForChildren;
        return SyscallResult.Ok;
    }

    private static SyscallResult Setns(GuestTask task, in SyscallArguments arguments)
    {
        if (!task.Files.Get(arguments.Int(0)).TryGet(out FileDescription? file, out Errno errno))
        {
            return errno;
        }

        ulong type = arguments.UInt(1);
        errno = file.IsPath ? Errno.EBADF : file is INamespaceFile named && (type == 0 || type == named.CloneFlag) ? Enter(task, named) : Errno.EINVAL;
        file.Release();
        return errno;
    }

    private static Errno Enter(GuestTask task, INamespaceFile named)
    {
        TaskCredentials who = task.Credentials;
        if (!who.HasCapability(Capability.CAP_SYS_ADMIN) || (named.Namespace is MountNamespace && !who.HasCapability(Capability.CAP_SYS_CHROOT)))
        {
            return Errno.EPERM;
        }

        switch (named.Namespace)
        {
            case MountNamespace mounts when !task.Fs.IsShared:
                task.Fs.Enter(mounts);
                return Errno.None;
            case NetworkNamespace network:
                network.AddUser(); // the file has a reference as long as the caller holds it
                task.EnterNetwork(network);
                return Errno.None;
            case IpcNamespace ipc:
                ipc.AddUser();
                EnterIpc(task, ipc);
                return Errno.None;
            case PidNamespace pids:
                if (pids != task.Pids && !pids.IsBelow(task.Pids))
                {
                    return Errno.EINVAL; // only from above
                }

                task.PidsForChildren = pids;
                return Errno.None;
            default:
                return Errno.EINVAL; // of the other kinds there is one each
        }
    }

    // What the process is to undo to semaphores (SEM_UNDO) is undone where they are.
    private static void EnterIpc(GuestTask task, IpcNamespace ipc)
    {
        lock (task.Kernel.TaskLock)
        {
            task.Ipc.OnProcessExit(task.ThreadGroup);
        }

        task.EnterIpc(ipc);
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
