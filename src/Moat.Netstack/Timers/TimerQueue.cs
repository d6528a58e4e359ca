namespace Moat.Netstack.Timers;

/// <summary>All timers of a stack, in a heap. A timer that is put off stays where it is and is looked at again at its old time, so that re-arming one on every packet costs two stores.</summary>
/// <remarks>Any thread. The lock is a leaf.</remarks>
public sealed class TimerQueue(INetHost host)
{
    private readonly Lock _lock = new();
    private NetTimer[] _heap = new NetTimer[64]; // guarded by _lock
    private int _count; // guarded by _lock

    /// <summary>Sets or moves a timer.</summary>
    public void Set(NetTimer timer, long deadlineNs)
    {
        bool isFirst = false;
        lock (_lock)
        {
            timer.DeadlineNs = deadlineNs;
            if (timer.HeapIndex == NetTimer.NotQueued)
            {
                if (_count == _heap.Length)
                {
                    Array.Resize(ref _heap, 2 * _count);
                }

                timer.HeapDeadlineNs = deadlineNs;
                Place(timer, _count++);
                SiftUp(timer);
                isFirst = timer.HeapIndex == 0;
            }
            else if (deadlineNs < timer.HeapDeadlineNs)
            {
                timer.HeapDeadlineNs = deadlineNs;
                SiftUp(timer);
                isFirst = timer.HeapIndex == 0;
            }
        }

        if (isFirst)
        {
            host.WakeAt(deadlineNs);
        }
    }

    /// <summary>How many timers the queue holds, cleared ones that stand there still among them.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _count;
            }
        }
    }

    /// <summary>Clears a timer: it does not expire, unless it is expiring now. It stays in the queue until its old time, and with it what it belongs to: where that ends, <see cref="Remove"/> is right.</summary>
    public void Clear(NetTimer timer)
    {
        lock (_lock)
        {
            timer.DeadlineNs = long.MaxValue;
        }
    }

    /// <summary>Clears a timer and takes it out of the queue, which costs more.</summary>
    public void Remove(NetTimer timer)
    {
        lock (_lock)
        {
            timer.DeadlineNs = long.MaxValue;
            if (timer.HeapIndex != NetTimer.NotQueued)
            {
                RemoveAt(timer.HeapIndex);
            }
        }
    }

    /// <summary>Runs every timer that is due.</summary>
    /// <returns>When to call again; <see cref="long.MaxValue"/> if nothing is set.</returns>
    public long Run(long nowNs)
    {
        while (true)
        {
            NetTimer timer;
            lock (_lock)
            {
                if (_count == 0)
                {
                    return long.MaxValue;
                }

                timer = _heap[0];
                if (timer.DeadlineNs > nowNs)
                {
                    if (timer.HeapDeadlineNs > nowNs)
                    {
                        return timer.HeapDeadlineNs;
                    }

                    if (timer.DeadlineNs == long.MaxValue)
                    {
                        RemoveAt(0);
                    }
                    else
                    {
                        timer.HeapDeadlineNs = timer.DeadlineNs;
                        SiftDown(timer);
                    }

                    continue;
                }

                timer.DeadlineNs = long.MaxValue;
                RemoveAt(0);
            }

            timer.OnExpired(nowNs);
        }
    }

    private void RemoveAt(int index)
    {
        _heap[index].HeapIndex = NetTimer.NotQueued;
        NetTimer last = _heap[--_count];
        _heap[_count] = null!;
        if (index < _count)
        {
            Place(last, index);
            SiftUp(last);
            SiftDown(last);
        }
    }

    private void SiftUp(NetTimer timer)
    {
        int index = timer.HeapIndex;
        while (index > 0)
        {
            int parent = (index - 1) / 2;
            if (_heap[parent].HeapDeadlineNs <= timer.HeapDeadlineNs)
            {
                break;
            }

            Place(_heap[parent], index);
            index = parent;
        }

        Place(timer, index);
    }

    private void SiftDown(NetTimer timer)
    {
        int index = timer.HeapIndex;
        while (true)
        {
            int child = (2 * index) + 1;
            if (child >= _count)
            {
                break;
            }

            if (child + 1 < _count && _heap[child + 1].HeapDeadlineNs < _heap[child].HeapDeadlineNs)
            {
                child++;
            }

            if (_heap[child].HeapDeadlineNs >= timer.HeapDeadlineNs)
            {
                break;
            }

            Place(_heap[child], index);
            index = child;
        }

        Place(timer, index);
    }

    private void Place(NetTimer timer, int index)
    {
        _heap[index] = timer;
        timer.HeapIndex = index;
    }
}
