using Moat.Platform;

namespace Moat.Kernel.Time;

/// <summary>The timers of a kernel: a heap by deadline and one thread that sleeps until the next. The thread starts with the first timer; while none is armed it sleeps without limit.</summary>
/// <param name="clock">The time.</param>
public sealed class TimerService(IKernelClock clock)
{
    private const int StackBytes = 256 << 10;

    private readonly Lock _lock = new(); // a leaf
    private readonly ThreadParker _parker = new();
    private KernelTimer[] _heap = new KernelTimer[16]; // guarded by _lock
    private int _count; // guarded by _lock
    private bool _isStarted; // guarded by _lock

    internal void Arm(KernelTimer timer, long deadlineNs)
    {
        lock (_lock)
        {
            timer.DeadlineNs = deadlineNs;
            if (timer.Index < 0)
            {
                if (_count == _heap.Length)
                {
                    Array.Resize(ref _heap, _count * 2);
                }

                Place(_count++, timer);
            }

            SiftUp(timer.Index);
            SiftDown(timer.Index);
            if (timer.Index == 0)
            {
                Wake();
            }
        }
    }

    internal void Disarm(KernelTimer timer)
    {
        lock (_lock)
        {
            if (timer.Index >= 0)
            {
                RemoveAt(timer.Index);
            }
        }
    }

    private void Wake()
    {
        if (_isStarted)
        {
            _parker.Unpark();
            return;
        }

        _isStarted = true;
        new Thread(Run, StackBytes) { IsBackground = true, Name = "timers" }.Start();
    }

    private void Run()
    {
        ThreadPair.Unbind(); // whoever made the first timer may be bound
        while (true)
        {
            KernelTimer? due = null;
            long left;
            lock (_lock)
            {
                left = _count == 0 ? long.MaxValue : _heap[0].DeadlineNs - clock.MonotonicNs;
                if (left <= 0)
                {
                    due = _heap[0];
                    RemoveAt(0);
                }
            }

            if (due is null)
            {
                _parker.Park(left);
            }
            else
            {
                due.OnExpired();
            }
        }
    }

    private void RemoveAt(int index)
    {
        _heap[index].Index = -1;
        KernelTimer last = _heap[--_count];
        _heap[_count] = null!;
        if (index < _count)
        {
            Place(index, last);
            SiftUp(index);
            SiftDown(last.Index);
        }
    }

    private void SiftUp(int index)
    {
        KernelTimer timer = _heap[index];
        while (index > 0 && _heap[(index - 1) / 2].DeadlineNs > timer.DeadlineNs)
        {
            Place(index, _heap[(index - 1) / 2]);
            index = (index - 1) / 2;
        }

        Place(index, timer);
    }

    private void SiftDown(int index)
    {
        KernelTimer timer = _heap[index];
        while (true)
        {
            int child = (2 * index) + 1;
            if (child + 1 < _count && _heap[child + 1].DeadlineNs < _heap[child].DeadlineNs)
            {
                child++;
            }

            if (child >= _count || _heap[child].DeadlineNs >= timer.DeadlineNs)
            {
                break;
            }

            Place(index, _heap[child]);
            index = child;
        }

        Place(index, timer);
    }

    private void Place(int index, KernelTimer timer)
    {
        _heap[index] = timer;
        timer.Index = index;
    }
}
