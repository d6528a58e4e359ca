using Moat.Kernel.Waiting;
using Moat.Linux;

namespace Moat.Filesystems.HostFd;

/// <summary>Those who wait for one host descriptor. The poller watches it while somebody waits and tells each readiness once; whoever finds it not ready any more has it watched again.</summary>
internal sealed class HostWatch(HostPoller poller, int hostFd)
{
    private readonly WaitQueue _waiters = new();
    private PollEvents _wanted;

    /// <summary>The descriptor.</summary>
    public int HostFd => hostFd;

    /// <summary>What the poller looks for: what they wait for and was not ready when somebody last asked.</summary>
    public PollEvents ArmedEvents { get; private set; }

    /// <summary>As <see cref="IWaitable.AddWaiter"/>.</summary>
    public void Add(WaitEntry entry)
    {
        _waiters.Add(entry);
        _wanted |= entry.Mask;
        ArmedEvents = _wanted;
        poller.Watch(this);
    }

    /// <summary>As <see cref="IWaitable.RemoveWaiter"/>.</summary>
    public void Remove(WaitEntry entry)
    {
        _waiters.Remove(entry);
        if (_waiters.IsEmpty)
        {
            _wanted = PollEvents.None;
            poller.Unwatch(this);
        }
    }

    /// <summary>Asks the host what is ready.</summary>
    public PollEvents Poll(PollEvents wanted)
    {
        PollEvents events = Host.HostFile.Poll(hostFd, wanted, 0);
        PollEvents missing = _wanted & wanted & ~events;
        if (missing != 0 && !_waiters.IsEmpty)
        {
            ArmedEvents = missing;
            poller.WatchAgain(this);
        }

        return events;
    }

    /// <summary>Wakes those who wait.</summary>
    public void Notify(PollEvents events) => _waiters.Notify(events);
}
