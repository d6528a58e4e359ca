using Moat.Linux;

namespace Moat.Kernel.Vfs;

/// <summary>Wants to know what happens to an inode: a watch of inotify(7).</summary>
public interface IInodeWatch
{
    /// <summary>Something has happened. Runs on the thread that did it, perhaps with directory locks held: it only notes what it hears.</summary>
    /// <param name="events">One event, and IN_ISDIR if its subject is a directory.</param>
    /// <param name="cookie">Connects the two halves of a rename.</param>
    /// <param name="name">The entry of the watched directory that it happened to; null for the inode itself.</param>
    /// <param name="isUnlinked">Whether that entry has been taken away before.</param>
    void OnEvent(InotifyMask events, uint cookie, FileName? name, bool isUnlinked);
}
