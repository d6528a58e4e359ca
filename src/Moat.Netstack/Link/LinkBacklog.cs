using Moat.Netstack.Packets;

namespace Moat.Netstack.Link;

/// <summary>Packets on their way from one virtual interface to another, of the same stack or a different one: one for a machine. What is sent waits here until a thread that holds no lock comes by
/// (<see cref="Run"/>), which delivers it without recursion, however the interfaces are connected.</summary>
/// <remarks>Any thread. One thread at a time delivers; the others leave their packets to it. A packet that goes in circles is dropped after <see cref="MaxHops"/> interfaces, and nobody delivers
/// more than <see cref="Budget"/> packets in one go: a flood leaves other threads and timers their time.</remarks>
public sealed class LinkBacklog(IBacklogHost host)
{
    /// <summary>How many virtual interfaces a packet may pass.</summary>
    public const int MaxHops = 32;

    /// <summary>How many packets may wait for one interface (net.core.netdev_max_backlog).</summary>
    public const int MaxQueued = 1000;

    private const int Budget = 512;
    private const int Turn = 64; // packets of one interface before it is another one's turn

    private readonly Lock _lock = new(); // a leaf
    private BacklogQueue? _first; // guarded by _lock: those with packets
    private BacklogQueue? _last; // guarded by _lock
    private int _ready; // guarded by _lock, may be read without: how many those are
    private int _isServed;

    /// <summary>Leaves a packet to be delivered.</summary>
    /// <returns>False if the queue is full or the packet has gone round for too long: it is released.</returns>
    internal bool Enqueue(BacklogQueue queue, Packet packet)
    {
        if (packet.Hops < MaxHops)
        {
            packet.Hops++;
            lock (_lock)
            {
                if (queue.Packets.Count < MaxQueued)
                {
                    queue.Packets.Enqueue(packet);
                    AddLocked(queue);
                    return true;
                }
            }
        }

        packet.Release();
        return false;
    }

    /// <summary>Drops what waits for an interface that has gone.</summary>
    internal void Clear(BacklogQueue queue)
    {
        lock (_lock)
        {
            queue.Packets.Clear();
        }
    }

    /// <summary>Delivers what waits, and what that causes. Called with no lock of a stack held.</summary>
    public void Run()
    {
        int left = Budget;
        while (Volatile.Read(ref _ready) > 0 && Interlocked.Exchange(ref _isServed, 1) == 0)
        {
            while (left > 0 && Next() is { } queue)
            {
                left -= Serve(queue);
            }

            Interlocked.Exchange(ref _isServed, 0); // a full barrier: who finds it served has queued before this thread looks again
            if (left <= 0)
            {
                host.RunSoon();
                return;
            }
        }
    }

    private int Serve(BacklogQueue queue)
    {
        ILinkSink sink = queue.Sink;
        int count = 0;
        while (count < Turn && Take(queue) is { } packet)
        {
            sink.Deliver(packet);
            count++;
        }

        sink.Flush();
        lock (_lock)
        {
            if (queue.Packets.Count > 0)
            {
                AddLocked(queue);
            }
        }

        return count + 1;
    }

    private Packet? Take(BacklogQueue queue)
    {
        lock (_lock)
        {
            return queue.Packets.Dequeue();
        }
    }

    private BacklogQueue? Next()
    {
        lock (_lock)
        {
            if (_first is not { } queue)
            {
                return null;
            }

            (_first, queue.Next) = (queue.Next, null);
            _last = _first is null ? null : _last;
            queue.IsReady = false;
            _ready--;
            return queue;
        }
    }

    private void AddLocked(BacklogQueue queue)
    {
        if (queue.IsReady)
        {
            return;
        }

        queue.IsReady = true;
        _ready++;
        if (_last is null)
        {
            _first = queue;
        }
        else
        {
            _last.Next = queue;
        }

        _last = queue;
    }
}
