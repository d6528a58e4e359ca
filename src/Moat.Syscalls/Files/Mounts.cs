using System.Numerics;
using System.Text;
using Moat.Kernel.Credentials;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Syscalls.Files;

/// <summary>mount(2), umount2(2), pivot_root(2).</summary>
internal static class Mounts
{
    private const int MaxString = 4096;
    private const MountFlags Settable = MountFlags.ReadOnly | MountFlags.NoSuid | MountFlags.NoDev | MountFlags.NoExec | MountFlags.NoSymFollow | MountFlags.NoAtime | MountFlags.NoDirAtime | MountFlags.RelAtime;

    public static void Register(SyscallTableBuilder table)
    {
        table.Add(SyscallNumber.mount, Mount, Arg.String, Arg.Path, Arg.String, Arg.Hex, Arg.Pointer);
        table.Add(SyscallNumber.umount2, Umount, Arg.Path, Arg.Hex);
        table.Add(SyscallNumber.pivot_root, PivotRoot, Arg.Path, Arg.Path);
    }

    private static SyscallResult Mount(GuestTask task, in SyscallArguments arguments)
    {
        const uint Magic = 0xc0ed0000;
        const uint MagicMask = 0xffff0000;
        if (!ReadText(task, arguments.Address(2)).TryGet(out string? type, out Errno errno) || !ReadText(task, arguments.Address(0)).TryGet(out string? source, out errno)
            || !ReadOptions(task, arguments.Address(4)).TryGet(out string? options, out errno)
            || !Guest.Resolve(task, Guest.AtFdCwd, arguments.Address(1)).TryGet(out PathLocation target, out errno))
        {
            return errno;
        }

        uint raw = arguments.UInt(3);
        raw = (raw & MagicMask) == Magic ? raw & ~MagicMask : raw;
        MountRequestFlags request = (MountRequestFlags)raw;
        if ((request & MountRequestFlags.NoUser) != 0)
        {
            return Errno.EINVAL;
        }

        if (!task.Credentials.HasCapability(Capability.CAP_SYS_ADMIN))
        {
            return Errno.EPERM;
        }

        MountFlags flags = (MountFlags)raw & Settable;
        flags |= (request & MountRequestFlags.StrictAtime) == 0 && (flags & MountFlags.NoAtime) == 0 ? MountFlags.RelAtime : 0;
        bool recursive = (request & MountRequestFlags.Recursive) != 0;
        if ((request & MountRequestFlags.Remount) != 0)
        {
            return Remount(task, target, flags, (request & MountRequestFlags.Bind) != 0 ? null : options);
        }

        if ((request & MountRequestFlags.Bind) != 0)
        {
            return Bind(task, source, target, recursive);
        }

        if ((request & MountRequestFlags.Propagation) != 0)
        {
            return SetPropagation(task, target, request);
        }

        return (request & MountRequestFlags.Move) != 0 ? Move(task, source, target) : MakeNew(task, source, target, type, flags, options);
    }

    private static Errno MakeNew(GuestTask task, string? source, PathLocation target, string? type, MountFlags flags, string options)
    {
        if (type is null)
        {
            return Errno.EINVAL;
        }

        if (!task.Kernel.FilesystemTypes.TryGetValue(type, out IFilesystemType? known))
        {
            return Errno.ENODEV;
        }

        if (!known.Make(task, options).TryGet(out Filesystem? filesystem, out Errno errno))
        {
            return errno;
        }

        if (!target.Inode.IsDirectory)
        {
            return Errno.ENOTDIR;
        }

        Mount mount = new(filesystem, new Dentry(null, new FileName("/"), filesystem.Root), flags) { Source = source ?? "none" };
        return target.Mount.IsAttached ? task.Fs.MountNamespace.Attach(mount, target) : Errno.EINVAL;
    }

    private static Errno Bind(GuestTask task, string? source, PathLocation target, bool recursive)
    {
        if (!Find(task, source).TryGet(out PathLocation from, out Errno errno))
        {
            return errno;
        }

        return !target.Mount.IsAttached ? Errno.EINVAL
            : from.Inode.IsDirectory != target.Inode.IsDirectory ? Errno.ENOTDIR
            : task.Fs.MountNamespace.Bind(from, target, recursive);
    }

    private static Errno Move(GuestTask task, string? source, PathLocation target)
    {
        if (!Find(task, source).TryGet(out PathLocation from, out Errno errno))
        {
            return errno;
        }

        return from.Dentry != from.Mount.Root || !target.Mount.IsAttached || from.Inode.IsDirectory != target.Inode.IsDirectory
            ? Errno.EINVAL
            : task.Fs.MountNamespace.Move(from.Mount, target);
    }

    private static Errno Remount(GuestTask task, PathLocation target, MountFlags flags, string? options)
    {
        if (target.Dentry != target.Mount.Root || !target.Mount.IsAttached)
        {
            return Errno.EINVAL;
        }

        if ((flags & MountFlags.ReadOnly) != 0 && !target.Mount.IsReadOnly && target.Mount.HasWriters)
        {
            return Errno.EBUSY;
        }

        Errno errno = options is null ? Errno.None : target.Mount.Filesystem.Reconfigure(options);
        if (errno == Errno.None)
        {
            target.Mount.Flags = (target.Mount.Flags & ~Settable) | flags;
        }

        return errno;
    }

    private static Errno SetPropagation(GuestTask task, PathLocation target, MountRequestFlags request)
    {
        const MountRequestFlags Allowed = MountRequestFlags.Propagation | MountRequestFlags.Recursive | MountRequestFlags.Silent;
        MountRequestFlags kind = request & MountRequestFlags.Propagation;
        if ((request & ~Allowed) != 0 || BitOperations.PopCount((uint)kind) != 1 || target.Dentry != target.Mount.Root)
        {
            return Errno.EINVAL;
        }

        MountPropagation propagation = kind switch
        {
            MountRequestFlags.Shared => MountPropagation.Shared,
            MountRequestFlags.Slave => MountPropagation.Slave,
            MountRequestFlags.Unbindable => MountPropagation.Unbindable,
            _ => MountPropagation.Private,
        };
        return task.Fs.MountNamespace.SetPropagation(target.Mount, propagation, (request & MountRequestFlags.Recursive) != 0);
    }

    private static SyscallResult Umount(GuestTask task, in SyscallArguments arguments)
    {
        const int Force = 1;
        const int Detach = 2;
        const int Expire = 4;
        const int NoFollow = 8;
        int flags = arguments.Int(1);
        if ((flags & ~(Force | Detach | Expire | NoFollow)) != 0)
        {
            return Errno.EINVAL;
        }

        if (!Guest.Resolve(task, Guest.AtFdCwd, arguments.Address(0), (flags & NoFollow) != 0 ? WalkFlags.NoFollow : WalkFlags.None).TryGet(out PathLocation target, out Errno errno))
        {
            return errno;
        }

        if (!task.Credentials.HasCapability(Capability.CAP_SYS_ADMIN))
        {
            return Errno.EPERM;
        }

        target = task.Fs.MountNamespace.FindTop(target); // "." may be covered
        if (target.Dentry != target.Mount.Root)
        {
            return Errno.EINVAL;
        }

        bool expires = (flags & Expire) != 0;
        if (expires && ((flags & (Force | Detach)) != 0 || target == task.Fs.Root))
        {
            return Errno.EINVAL;
        }

        return task.Fs.MountNamespace.Detach(target.Mount, (flags & Detach) != 0, expires);
    }

    private static SyscallResult PivotRoot(GuestTask task, in SyscallArguments arguments)
    {
        if (!task.Credentials.HasCapability(Capability.CAP_SYS_ADMIN))
        {
            return Errno.EPERM;
        }

        if (!Guest.Resolve(task, Guest.AtFdCwd, arguments.Address(0), WalkFlags.Directory).TryGet(out PathLocation newRoot, out Errno errno)
            || !Guest.Resolve(task, Guest.AtFdCwd, arguments.Address(1), WalkFlags.Directory).TryGet(out PathLocation putOld, out errno))
        {
            return errno;
        }

        PathLocation before = task.Fs.Root;
        errno = task.Fs.MountNamespace.PivotRoot(before, newRoot, putOld);
        if (errno != Errno.None)
        {
            return errno;
        }

        foreach (ThreadGroup process in task.Kernel.Pids.ListProcesses())
        {
            foreach (GuestTask other in process.ListTasks())
            {
                other.Fs.Replace(before, newRoot);
            }
        }

        return SyscallResult.Ok;
    }

    private static Result<PathLocation> Find(GuestTask task, string? source) =>
        source is null or "" ? Errno.EINVAL : PathWalker.Resolve(task, task.Fs.WorkingDirectory, Encoding.Latin1.GetBytes(source));

    // A string or a null pointer: EINVAL past a page.
    private static Result<string?> ReadText(GuestTask task, GuestAddress address)
    {
        if (address.IsNull)
        {
            return (string?)null;
        }

        Span<byte> buffer = stackalloc byte[MaxString];
        return task.Memory.CopyInString(address, buffer).TryGet(out int length, out Errno errno) ? Encoding.Latin1.GetString(buffer[..length]) : errno == Errno.ENAMETOOLONG ? Errno.EINVAL : errno;
    }

    // Options are a page that ends where memory ends or with a zero byte.
    private static Result<string> ReadOptions(GuestTask task, GuestAddress address)
    {
        if (address.IsNull)
        {
            return "";
        }

        byte[] buffer = new byte[MaxString];
        int count = task.Memory.CopyInPartial(address, buffer);
        if (count == 0)
        {
            return Errno.EFAULT;
        }

        int zero = buffer.AsSpan(0, count).IndexOf((byte)0);
        return Encoding.Latin1.GetString(buffer, 0, zero >= 0 ? zero : Math.Min(count, MaxString - 1));
    }
}
