using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.EventFiles;

/// <summary>One watch of an inotify instance.</summary>
internal sealed class InotifyWatch(InotifyDescription owner, int number, Dentry place, InotifyMask mask) : IInodeWatch
{
    private uint _mask = (uint)mask;

    /// <summary>The watch descriptor.</summary>
    public int Number => number;

    /// <summary>What is watched.</summary>
    public Inode Inode { get; } = place.Inode!;

    /// <summary>The name it was found by: who keeps an inode keeps a name of it.</summary>
    public Dentry Place => place;

    /// <summary>The events, IN_ONESHOT and IN_EXCL_UNLINK.</summary>
    public InotifyMask Mask
    {
        get => (InotifyMask)Volatile.Read(ref _mask);
        set => Volatile.Write(ref _mask, (uint)value);
    }

    /// <inheritdoc/>
    public void OnEvent(InotifyMask events, uint cookie, FileName? name, bool isUnlinked)
    {
        if ((events & InotifyMask.IN_IGNORED) != 0)
        {
            owner.Drop(this);
            return;
        }

        InotifyMask wanted = Mask;
        if ((events & wanted & InotifyMask.AllEvents) == 0 || (isUnlinked && (wanted & InotifyMask.IN_EXCL_UNLINK) != 0))
        {
            return;
        }

        owner.Add(number, events, cookie, name);
        if ((wanted & InotifyMask.IN_ONESHOT) != 0)
        {
            owner.Drop(this);
        }
    }
}
