using Moat.Linux;
using Moat.Platform;

namespace Moat.Kernel.Waiting;

/// <summary>Those who wait for one object. The lock is a leaf: nothing else is taken under it but another queue of an epoll instance above.</summary>
public sealed class WaitQueue
{
    private readonly Lock _lock = new();
    private WaitEntry? _first; // guarded by _lock
    private WaitEntry? _last; // guarded by _lock
    private volatile int _count; // written under _lock

    /// <summary>Whether nobody waits; a cheap test before the work of a notification.</summary>
    public bool IsEmpty => _count == 0;

    /// <summary>Adds an entry at the end.</summary>
    public void Add(WaitEntry entry)
    {
        lock (_lock)
        {
            if (entry.Queue is not null)
            {
                throw new InvalidOperationException("the entry is in a queue already");
            }

            entry.Queue = this;
            entry.Previous = _last;
            entry.Next = null;
            if (_last is null)
            {
                _first = entry;
            }
            else
            {
                _last.Next = entry;
            }

            _last = entry;
            _count++;
        }
    }

    /// <summary>Takes an entry out; nothing happens if it is not in this queue.</summary>
    public void Remove(WaitEntry entry)
    {
        lock (_lock)
        {
            if (entry.Queue != this)
            {
                return;
            }

            if (entry.Previous is null)
            {
                _first = entry.Next;
            }
            else
            {
                entry.Previous.Next = entry.Next;
            }

            if (entry.Next is null)
            {
                _last = entry.Previous;
            }
            else
            {
                entry.Next.Previous = entry.Previous;
            }

            entry.Queue = null;
            entry.Next = null;
            entry.Previous = null;
            _count--;
        }
    }

    /// <summary>Tells every entry that asked for one of <paramref name="events"/>, and at most <paramref name="exclusiveCount"/> of the exclusive ones.</summary>
    /// <remarks>The caller has made the change visible before (under its own lock or with a fence), so that a waiter that adds itself and then asks sees it.</remarks>
    public void Notify(PollEvents events, int exclusiveCount = int.MaxValue)
    {
        Interlocked.MemoryBarrier();
        if (_count > 0)
        {
            PendingWakes wakes = default;
            Notify(events, ref wakes, exclusiveCount);
            wakes.Flush();
        }
    }

    /// <summary>The same for a caller that holds locks.</summary>
    /// <param name="events">What has happened.</param>
    /// <param name="wakes">Takes the threads that are to be woken.</param>
    /// <param name="exclusiveCount">How many of the exclusive entries are told.</param>
    public void Notify(PollEvents events, ref PendingWakes wakes, int exclusiveCount = int.MaxValue)
    {
        Interlocked.MemoryBarrier();
        if (_count == 0)
        {
            return;
        }

        PollEvents always = PollEvents.POLLERR | PollEvents.POLLHUP;
        lock (_lock)
        {
            WaitEntry? next;
            for (WaitEntry? entry = _first; entry is not null; entry = next)
            {
                next = entry.Next;
                if ((events & (entry.Mask | always)) == 0)
                {
                    continue;
                }

                if (entry.Exclusive && exclusiveCount-- <= 0)
                {
                    continue;
                }

                entry.OnEvents(events, ref wakes);
            }
        }
    }
}
