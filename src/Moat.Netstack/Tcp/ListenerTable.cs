namespace Moat.Netstack.Tcp;

/// <summary>The listeners by port. Any thread.</summary>
internal sealed class ListenerTable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<ushort, TcpListener[]> _byPort = []; // guarded by _lock; the arrays are replaced, not changed

    /// <summary>Adds a listener.</summary>
    public void Add(TcpListener listener)
    {
        lock (_lock)
        {
            TcpListener[] others = _byPort.GetValueOrDefault(listener.Local.Port, []);
            _byPort[listener.Local.Port] = [.. others, listener];
        }
    }

    /// <summary>Takes a listener out.</summary>
    public void Remove(TcpListener listener)
    {
        lock (_lock)
        {
            TcpListener[] left = Array.FindAll(_byPort.GetValueOrDefault(listener.Local.Port, []), other => other != listener);
            if (left.Length == 0)
            {
                _ = _byPort.Remove(listener.Local.Port);
            }
            else
            {
                _byPort[listener.Local.Port] = left;
            }
        }
    }

    /// <summary>The listener for a connection: one bound to the address before one bound to all, and of several that share a port the one that the flow's hash chooses (SO_REUSEPORT).</summary>
    public TcpListener? Find(in FlowKey key, int interfaceIndex)
    {
        TcpListener[]? candidates;
        lock (_lock)
        {
            if (!_byPort.TryGetValue(key.Local.Port, out candidates))
            {
                return null;
            }
        }

        int best = -1;
        int count = 0;
        foreach (TcpListener candidate in candidates)
        {
            int score = Score(candidate, key, interfaceIndex);
            count = score > best ? 1 : score == best ? count + 1 : count;
            best = Math.Max(best, score);
        }

        if (best < 0)
        {
            return null;
        }

        int chosen = count == 1 ? 0 : (int)((uint)key.GetHashCode() % (uint)count);
        foreach (TcpListener candidate in candidates)
        {
            if (Score(candidate, key, interfaceIndex) == best && chosen-- == 0)
            {
                return candidate;
            }
        }

        return null;
    }

    private static int Score(TcpListener listener, in FlowKey key, int interfaceIndex)
    {
        if (listener.Options.Ip.BoundInterface != 0 && listener.Options.Ip.BoundInterface != interfaceIndex)
        {
            return -1;
        }

        int device = listener.Options.Ip.BoundInterface != 0 ? 4 : 0;
        if (listener.Local.Address == key.Local.Address)
        {
            return device + 2;
        }

        if (!listener.Local.Address.IsAny)
        {
            return -1;
        }

        bool isSameFamily = listener.Local.Address.IsV4 == key.Local.Address.IsV4;
        return isSameFamily ? device + 1 : !listener.Local.Address.IsV4 && !listener.IsV6Only ? device : -1;
    }
}
