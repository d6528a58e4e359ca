using Moat.Linux;

namespace Moat.Kernel.Vfs;

/// <summary>Where the VFS tells of what happens to files (inotify(7)). Costs two null checks while nobody watches.</summary>
public static class FileEvents
{
    private static uint s_lastCookie;

    /// <summary>Something happened to the file at a place: its own watches and its directory's hear of it.</summary>
    public static void Report(PathLocation place, InotifyMask events)
    {
        Dentry dentry = place.Dentry;
        Inode? directory = dentry.IsRoot ? null : dentry.Parent.Inode;
        if (dentry.Inode is not { } inode || (inode.Watches is null && directory?.Watches is null))
        {
            return;
        }

        events |= inode.IsDirectory ? InotifyMask.IN_ISDIR : 0;
        directory?.Watches?.Tell(events, 0, dentry.Name, dentry.IsUnlinked);
        inode.Watches?.Tell(events, 0, null, isUnlinked: false);
    }

    /// <summary>As above for a file that may have no place.</summary>
    public static void Report(PathLocation? place, InotifyMask events)
    {
        if (place is { } known)
        {
            Report(known, events);
        }
    }

    /// <summary>An entry was made in a directory.</summary>
    internal static void ReportCreated(Inode directory, FileName name, Inode child, bool isLink = false)
    {
        if (isLink)
        {
            child.Watches?.Tell(InotifyMask.IN_ATTRIB, 0, null, isUnlinked: false);
        }

        directory.Watches?.Tell(InotifyMask.IN_CREATE | KindOf(child), 0, name, isUnlinked: false);
    }

    /// <summary>An entry was taken out of a directory.</summary>
    internal static void ReportRemoved(Inode directory, FileName name, Inode child)
    {
        if (!child.IsDirectory)
        {
            child.Watches?.Tell(InotifyMask.IN_ATTRIB, 0, null, isUnlinked: false);
        }

        ReportIfGone(child);
        directory.Watches?.Tell(InotifyMask.IN_DELETE | KindOf(child), 0, name, isUnlinked: false);
    }

    /// <summary>An entry was renamed, perhaps over another.</summary>
    internal static void ReportMoved(Inode from, FileName oldName, Inode to, FileName newName, Inode child, Inode? replaced)
    {
        if (from.Watches is not null || to.Watches is not null)
        {
            uint cookie = Interlocked.Increment(ref s_lastCookie);
            from.Watches?.Tell(InotifyMask.IN_MOVED_FROM | KindOf(child), cookie, oldName, isUnlinked: false);
            to.Watches?.Tell(InotifyMask.IN_MOVED_TO | KindOf(child), cookie, newName, isUnlinked: false);
        }

        if (replaced?.Watches is not null && !replaced.IsDirectory)
        {
            replaced.Watches.Tell(InotifyMask.IN_ATTRIB, 0, null, isUnlinked: false);
        }

        child.Watches?.Tell(InotifyMask.IN_MOVE_SELF, 0, null, isUnlinked: false);
        if (replaced is not null)
        {
            ReportIfGone(replaced);
        }
    }

    /// <summary>What a change of attributes tells.</summary>
    public static void ReportChange(PathLocation? place, in AttributeChange change)
    {
        bool attributes = change.Permissions is not null || change.Uid is not null || change.Gid is not null || (change.AccessTime is not null && change.ModifyTime is not null);
        InotifyMask events = (attributes ? InotifyMask.IN_ATTRIB : 0)
            | (change.Size is not null || (!attributes && change.ModifyTime is not null) ? InotifyMask.IN_MODIFY : 0)
            | (!attributes && change.AccessTime is not null ? InotifyMask.IN_ACCESS : 0);
        if (events != 0)
        {
            Report(place, events);
        }
    }

    /// <summary>The last name or the last open file of an inode went: if both are gone, so is the inode.</summary>
    internal static void ReportIfGone(Inode inode)
    {
        if (inode.Watches is { IsEmpty: false } watches && inode.OpenCount == 0
            && (inode.GetAttributes(out InodeAttributes attributes) != Errno.None || attributes.LinkCount == 0 || (inode.IsDirectory && attributes.LinkCount < 2)))
        {
            watches.Tell(InotifyMask.IN_DELETE_SELF, 0, null, isUnlinked: false);
            watches.Tell(InotifyMask.IN_IGNORED, 0, null, isUnlinked: false);
        }
    }

    private static InotifyMask KindOf(Inode inode) => inode.IsDirectory ? InotifyMask.IN_ISDIR : 0;
}
