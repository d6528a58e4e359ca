using Moat.Collections;
using Moat.Linux;
using Moat.Platform;

namespace Moat.Kernel.Waiting;

/// <summary>Those who wait for one object. The lock is a leaf: nothing else is taken under it but another queue of an epoll instance above.</summary>
public sealed class WaitQueue
{
    private readonly Lock _lock = new();
    private IntrusiveList<WaitEntry, Links> _entries; // guarded by _lock
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
            _entries.Add(entry);
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

            _entries.Remove(entry);
            entry.Queue = null;
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
            for (WaitEntry? entry = _entries.First; entry is not null; entry = next)
            {
                next = IntrusiveList<WaitEntry, Links>.After(entry);
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

    private readonly struct Links : IListLinks<WaitEntry>
    {
        public static ref ListLinks<WaitEntry> Of(WaitEntry item) => ref item.Links;
    }
}
