using Moat.Kernel.Credentials;
using Moat.Kernel.Tasks;
using Moat.Linux;
using Moat.Platform;

namespace Moat.Kernel.Vfs;

/// <summary>Who may do what with a file: mode bits, capabilities, read-only mounts, sticky directories (path_resolution(7), capabilities(7)).</summary>
public static class FilePermission
{
    /// <summary>Whether the task may read, write or execute (search) what is at a place.</summary>
    /// <returns>EACCES, EROFS for writing on a read-only mount.</returns>
    public static Errno Check(GuestTask task, PathLocation location, MemoryAccess access) => Check(task.Credentials, location, access);

    /// <summary>As above, for credentials that may differ from the task's (access(2)).</summary>
    public static Errno Check(TaskCredentials who, PathLocation location, MemoryAccess access)
    {
        Inode inode = location.Inode;
        if ((access & MemoryAccess.Write) != 0 && location.Mount.IsReadOnly && (inode.FileType is Mode.S_IFREG or Mode.S_IFDIR or Mode.S_IFLNK))
        {
            return Errno.EROFS;
        }

        if ((access & MemoryAccess.Execute) != 0 && inode.FileType == Mode.S_IFREG && (location.Mount.Flags & MountFlags.NoExec) != 0)
        {
            return Errno.EACCES;
        }

        if (inode.CheckAccess(who, access) is { } decided)
        {
            return decided;
        }

        Errno errno = inode.GetOwnership(out FileOwnership file);
        return errno != Errno.None ? errno : Allows(who, file, access) ? Errno.None : Errno.EACCES;
    }

    /// <summary>Whether the task owns the file or may act as if it did.</summary>
    public static bool IsOwner(TaskCredentials who, in InodeAttributes attributes) => IsOwner(who, FileOwnership.Of(attributes));

    /// <inheritdoc cref="IsOwner(TaskCredentials, in InodeAttributes)"/>
    public static bool IsOwner(TaskCredentials who, FileOwnership file) => who.FilesystemUid == file.Uid || who.HasCapability(Capability.CAP_FOWNER);

    /// <summary>Permission bits without what a change of owner or content takes: set-user-ID, and set-group-ID of what the group may execute (chown(2)).</summary>
    public static Mode WithoutSetId(Mode permissions)
    {
        const Mode GroupExecute = (Mode)8;
        return permissions & ~Mode.S_ISUID & ((permissions & GroupExecute) != 0 ? ~Mode.S_ISGID : ~Mode.None);
    }

    /// <summary>Whether an entry may be removed from or renamed in a directory.</summary>
    /// <returns>EACCES, EROFS, EPERM in a sticky directory.</returns>
    public static Errno CheckRemove(GuestTask task, PathLocation directory, Inode child)
    {
        Errno errno = Check(task, directory, MemoryAccess.Write | MemoryAccess.Execute);
        if (errno != Errno.None)
        {
            return errno;
        }

        errno = directory.Inode.GetOwnership(out FileOwnership parent);
        if (errno != Errno.None || (parent.Mode & Mode.S_ISVTX) == 0)
        {
            return errno;
        }

        errno = child.GetOwnership(out FileOwnership own);
        TaskCredentials who = task.Credentials;
        return errno != Errno.None ? errno
            : who.FilesystemUid == own.Uid || who.FilesystemUid == parent.Uid || who.HasCapability(Capability.CAP_FOWNER) ? Errno.None : Errno.EPERM;
    }

    /// <summary>fs.protected_symlinks (proc(5)): in a sticky directory that all may write, a link is followed only by its owner, or if the directory's owner made it.</summary>
    /// <returns>EACCES.</returns>
    public static Errno CheckFollow(GuestTask task, Inode directory, Inode link)
    {
        const Mode StickyAndOpen = Mode.S_ISVTX | (Mode)2;
        Errno errno = directory.GetOwnership(out FileOwnership parent);
        if (errno != Errno.None || (parent.Mode & StickyAndOpen) != StickyAndOpen)
        {
            return errno;
        }

        errno = link.GetOwnership(out FileOwnership own);
        return errno != Errno.None ? errno : own.Uid == task.Credentials.FilesystemUid || own.Uid == parent.Uid ? Errno.None : Errno.EACCES;
    }

    /// <summary>fs.protected_hardlinks (proc(5)): only who owns a file, or may read and write it and it is nothing special, may give it another name.</summary>
    /// <returns>EPERM.</returns>
    public static Errno CheckLink(GuestTask task, PathLocation location)
    {
        const Mode GroupExecute = (Mode)8;
        Errno errno = location.Inode.GetOwnership(out FileOwnership file);
        if (errno != Errno.None || IsOwner(task.Credentials, file))
        {
            return errno;
        }

        bool isSetGid = (file.Mode & (Mode.S_ISGID | GroupExecute)) == (Mode.S_ISGID | GroupExecute);
        bool isSafe = (file.Mode & Mode.S_IFMT) == Mode.S_IFREG && (file.Mode & Mode.S_ISUID) == 0 && !isSetGid && Allows(task.Credentials, file, MemoryAccess.Read | MemoryAccess.Write);
        return isSafe ? Errno.None : Errno.EPERM;
    }

    private static bool Allows(TaskCredentials who, FileOwnership file, MemoryAccess access)
    {
        int shift = who.FilesystemUid == file.Uid ? 6 : who.IsInGroup(file.Gid) ? 3 : 0;
        uint bits = ((uint)file.Mode >> shift) & 7;
        uint wanted = ((access & MemoryAccess.Read) != 0 ? 4u : 0) | ((access & MemoryAccess.Write) != 0 ? 2u : 0) | ((access & MemoryAccess.Execute) != 0 ? 1u : 0);
        if ((wanted & ~bits) == 0)
        {
            return true;
        }

        bool isDirectory = (file.Mode & Mode.S_IFMT) == Mode.S_IFDIR;
        if (who.HasCapability(Capability.CAP_DAC_OVERRIDE) && (isDirectory || (wanted & 1) == 0 || ((uint)file.Mode & 0x49) != 0))
        {
            return true;
        }

        return who.HasCapability(Capability.CAP_DAC_READ_SEARCH) && (wanted & 2) == 0 && (isDirectory || (wanted & 1) == 0);
    }
}
