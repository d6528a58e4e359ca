namespace Moat.Filesystems.GoferClient;

/// <summary>The open descriptions of one file that others may change: through them it can be reached whatever becomes of its names. Any thread.</summary>
internal sealed class GoferHandles
{
    private readonly Lock _lock = new();
    private readonly List<GoferFile> _open = []; // guarded by _lock
    private int _createdFd = -1; // guarded by _lock

    /// <summary>The descriptor from the call that made the file, for the open that follows; -1 if there is none.</summary>
    public int TakeCreated()
    {
        lock (_lock)
        {
            int fd = _createdFd;
            _createdFd = -1;
            return fd;
        }
    }

    /// <summary>Keeps a descriptor for <see cref="TakeCreated"/>.</summary>
    public void SetCreated(int fd)
    {
        lock (_lock)
        {
            _createdFd = fd;
        }
    }

    /// <summary>A description was opened.</summary>
    public void Add(GoferFile file)
    {
        lock (_lock)
        {
            _open.Add(file);
        }
    }

    /// <summary>A description has gone.</summary>
    public void Remove(GoferFile file)
    {
        lock (_lock)
        {
            _open.Remove(file);
        }
    }

    /// <summary>Any open description, held for the caller, who releases it; one that can write, if that is asked for and there is one.</summary>
    public GoferFile? Any(bool forWriting = false)
    {
        lock (_lock)
        {
            GoferFile? best = forWriting ? _open.Find(static file => file.CanWrite) ?? _open.FirstOrDefault() : _open.FirstOrDefault();
            return best is not null && best.TryAddReference() ? best : null;
        }
    }

    /// <summary>The file has been cut off: tells all descriptions.</summary>
    public void Truncated(long size)
    {
        GoferFile[] open;
        lock (_lock)
        {
            open = [.. _open];
        }

        foreach (GoferFile file in open)
        {
            file.Truncated(size);
        }
    }
}
