namespace Moat.Sockets;

/// <summary>The sockets that have a descriptor, or had one that is on its way in a message: for /proc/net and NETLINK_SOCK_DIAG. Any thread; the lock is a leaf.</summary>
public sealed class SocketRegistry
{
    private readonly Lock _lock = new();
    private Socket? _first; // guarded by _lock
    private int _count; // guarded by _lock

    /// <summary>How many there are.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Adds a socket, which is complete.</summary>
    public void Add(Socket socket)
    {
        lock (_lock)
        {
            (socket.NextRegistered, socket.IsRegistered) = (_first, true);
            if (_first is not null)
            {
                _first.PreviousRegistered = socket;
            }

            _first = socket;
            _count++;
        }
    }

    /// <summary>Takes a socket out, if it was added.</summary>
    public void Remove(Socket socket)
    {
        lock (_lock)
        {
            if (!socket.IsRegistered)
            {
                return;
            }

            socket.IsRegistered = false;
            if (socket.PreviousRegistered is { } previous)
            {
                previous.NextRegistered = socket.NextRegistered;
            }
            else
            {
                _first = socket.NextRegistered;
            }

            if (socket.NextRegistered is { } next)
            {
                next.PreviousRegistered = socket.PreviousRegistered;
            }

            (socket.PreviousRegistered, socket.NextRegistered) = (null, null);
            _count--;
        }
    }

    /// <summary>Those of a kind, the newest first. A snapshot.</summary>
    public List<T> List<T>()
        where T : class
    {
        List<T> found = [];
        lock (_lock)
        {
            for (Socket? socket = _first; socket is not null; socket = socket.NextRegistered)
            {
                if (socket is T wanted)
                {
                    found.Add(wanted);
                }
            }
        }

        return found;
    }
}
