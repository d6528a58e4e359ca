using Moat.Filesystems.EventFiles;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;
using Moat.Platform;

namespace Moat.Syscalls.Files;

/// <summary>inotify_init(2), inotify_add_watch(2), inotify_rm_watch(2).</summary>
internal static class Inotify
{
    public static void Register(SyscallTableBuilder table)
    {
        table.Add(SyscallNumber.inotify_init, static (GuestTask task, in SyscallArguments _) => Create(task, 0));
        table.Add(SyscallNumber.inotify_init1, static (GuestTask task, in SyscallArguments arguments) => Create(task, arguments.Int(0)), Arg.Hex);
        table.Add(SyscallNumber.inotify_add_watch, AddWatch, Arg.Fd, Arg.Path, Arg.Hex);
        table.Add(SyscallNumber.inotify_rm_watch, RemoveWatch, Arg.Fd, Arg.Int);
    }

    private static SyscallResult Create(GuestTask task, int flags)
    {
        if ((flags & ~(int)(OpenFlags.O_CLOEXEC | OpenFlags.O_NONBLOCK)) != 0)
        {
            return Errno.EINVAL;
        }

        AnonymousFilesystem home = (AnonymousFilesystem)task.Kernel.AnonymousFiles;
        uint owner = task.Credentials.RealUid;
        return home.TryAddInotify(owner) ? Guest.InstallNew(task, new InotifyDescription(home, owner, (OpenFlags)flags & OpenFlags.O_NONBLOCK), flags) : Errno.EMFILE;
    }

    private static SyscallResult AddWatch(GuestTask task, in SyscallArguments arguments)
    {
        const InotifyMask Flags = InotifyMask.IN_ONLYDIR | InotifyMask.IN_DONT_FOLLOW | InotifyMask.IN_EXCL_UNLINK | InotifyMask.IN_MASK_CREATE | InotifyMask.IN_MASK_ADD
            | InotifyMask.IN_ISDIR | InotifyMask.IN_ONESHOT | InotifyMask.IN_UNMOUNT | InotifyMask.IN_Q_OVERFLOW | InotifyMask.IN_IGNORED;
        const InotifyMask Both = InotifyMask.IN_MASK_ADD | InotifyMask.IN_MASK_CREATE;
        InotifyMask mask = (InotifyMask)arguments.UInt(2);
        if ((mask & (InotifyMask.AllEvents | Flags)) == 0)
        {
            return Errno.EINVAL;
        }

        if (!Find(task, arguments.Int(0)).TryGet(out InotifyDescription? instance, out Errno errno))
        {
            return errno;
        }

        try
        {
            if ((mask & Both) == Both)
            {
                return Errno.EINVAL;
            }

            WalkFlags walk = ((mask & InotifyMask.IN_DONT_FOLLOW) != 0 ? WalkFlags.NoFollow : 0) | ((mask & InotifyMask.IN_ONLYDIR) != 0 ? WalkFlags.Directory : 0);
            if (!Guest.Resolve(task, Guest.AtFdCwd, arguments.Address(1), walk).TryGet(out PathLocation place, out errno))
            {
                return errno;
            }

            errno = FilePermission.Check(task, place, MemoryAccess.Read);
            return errno != Errno.None ? errno : instance.Watch(place.Dentry, mask).TryGet(out int number, out errno) ? number : errno;
        }
        finally
        {
            instance.Release();
        }
    }

    private static SyscallResult RemoveWatch(GuestTask task, in SyscallArguments arguments)
    {
        if (!Find(task, arguments.Int(0)).TryGet(out InotifyDescription? instance, out Errno errno))
        {
            return errno;
        }

        errno = instance.Unwatch(arguments.Int(1));
        instance.Release();
        return errno;
    }

    private static Result<InotifyDescription> Find(GuestTask task, int fd)
    {
        if (!task.Files.Get(fd).TryGet(out FileDescription? file, out Errno errno))
        {
            return errno;
        }

        if (file is InotifyDescription instance)
        {
            return instance;
        }

        file.Release();
        return Errno.EINVAL;
    }
}
