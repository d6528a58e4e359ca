using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Sockets.Unix;

/// <summary>Counts the files that are in messages and not received yet, for each user, and closes those of messages that are dropped.</summary>
/// <remarks>Files in flight can hold each other in a circle through sockets' queues; what bounds that is the limit. Closing goes through one list instead of recursion,
/// since sockets in sockets could be nested as deep as the limit allows.</remarks>
internal sealed class InFlightFiles
{
    /// <summary>How many files may be in flight in the whole sandbox.</summary>
    private const int MaxTotal = 1 << 16;

    private readonly Lock _lock = new();
    private readonly Dictionary<uint, int> _counts = []; // guarded by _lock
    private readonly Queue<FileDescription> _closing = []; // guarded by _lock
    private int _total; // guarded by _lock
    private bool _isClosing; // guarded by _lock

    /// <summary>Counts files that are about to be sent.</summary>
    /// <param name="limit">RLIMIT_NOFILE of the sender, or its absence by capability.</param>
    /// <returns>ETOOMANYREFS.</returns>
    public Errno Add(uint uid, int count, ulong limit)
    {
        lock (_lock)
        {
            int before = _counts.GetValueOrDefault(uid);
            if ((ulong)before > limit || _total + count > MaxTotal)
            {
                return Errno.ETOOMANYREFS;
            }

            _counts[uid] = before + count;
            _total += count;
            return Errno.None;
        }
    }

    /// <summary>They have been received or dropped.</summary>
    public void Remove(uint uid, int count)
    {
        lock (_lock)
        {
            int left = _counts.GetValueOrDefault(uid) - count;
            _total -= count;
            if (left > 0)
            {
                _counts[uid] = left;
            }
            else
            {
                _counts.Remove(uid);
            }
        }
    }

    /// <summary>Closes the files of a message that nobody will receive.</summary>
    public void Drop(uint uid, AncillaryData files)
    {
        Remove(uid, files.Files.Count);
        lock (_lock)
        {
            foreach (FileDescription file in files.Files)
            {
                _closing.Enqueue(file);
            }

            files.Files.Clear();
            if (_isClosing)
            {
                return;
            }

            _isClosing = true;
        }

        while (true)
        {
            FileDescription? next;
            lock (_lock)
            {
                if (!_closing.TryDequeue(out next))
                {
                    _isClosing = false;
                    return;
                }
            }

            next.Release();
        }
    }
}
