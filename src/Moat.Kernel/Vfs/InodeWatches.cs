using Moat.Linux;

namespace Moat.Kernel.Vfs;

/// <summary>The watches on one inode. Any thread.</summary>
public sealed class InodeWatches
{
    private readonly Lock _lock = new();
    private volatile IInodeWatch[] _watches = []; // replaced under _lock

    /// <summary>Whether nobody watches.</summary>
    public bool IsEmpty => _watches.Length == 0;

    /// <summary>Adds a watch.</summary>
    public void Add(IInodeWatch watch)
    {
        lock (_lock)
        {
            _watches = [.. _watches, watch];
        }
    }

    /// <summary>Takes a watch off.</summary>
    public void Remove(IInodeWatch watch)
    {
        lock (_lock)
        {
            _watches = Array.FindAll(_watches, other => other != watch);
        }
    }

    /// <summary>Tells all watches.</summary>
    internal void Tell(InotifyMask events, uint cookie, FileName? name, bool isUnlinked)
    {
        foreach (IInodeWatch watch in _watches)
        {
            watch.OnEvent(events, cookie, name, isUnlinked);
        }
    }
}
