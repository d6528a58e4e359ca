using Moat.Collections;
using Moat.Kernel.Vfs;
using Moat.Kernel.Waiting;
using Moat.Linux;
using Moat.Platform;

namespace Moat.Filesystems.EventFiles;

/// <summary>One descriptor on an epoll instance's interest list.</summary>
internal sealed class EpollItem(EpollDescription owner, int fd, FileDescription file, IWaitable source) : WaitEntry, IFileCloseObserver
{
    private ListLinks<EpollItem> _readyLinks;

    /// <summary>The descriptor it was added by.</summary>
    public int Fd { get; } = fd;

    /// <summary>The file, of which it holds no reference: closing the last descriptor takes it off the list.</summary>
    public FileDescription File { get; } = file;

    /// <summary>What of the file is waited for: as the task saw it that added it.</summary>
    public IWaitable Source { get; } = source;

    /// <summary>EPOLL* flags and events as they were given. Guarded by the owner's lock.</summary>
    public uint Events { get; set; }

    /// <summary>What epoll_wait(2) hands back. Guarded by the owner's lock.</summary>
    public ulong Data { get; set; }

    /// <summary>Whether it is on the ready list, and its neighbours there. Guarded by the owner's ready lock.</summary>
    public bool IsReady { get; set; }

    /// <inheritdoc cref="IsReady"/>
    public ref ListLinks<EpollItem> ReadyLinks => ref _readyLinks;

    /// <summary>Set when it has been taken off the list.</summary>
    public bool IsRemoved { get; set; }

    /// <inheritdoc/>
    public void OnFileClosed() => owner.Remove(this);

    /// <inheritdoc/>
    protected override void OnEvents(PollEvents events, ref PendingWakes wakes) => owner.MarkReady(this, ref wakes);
}
