using Moat.Collections;
using Moat.Linux;
using Moat.Platform;

namespace Moat.Kernel.Waiting;

/// <summary>One party's place in one <see cref="WaitQueue"/>. It is linked intrusively, so that waiting allocates nothing; it can be in one queue at a time.</summary>
public abstract class WaitEntry
{
    internal ListLinks<WaitEntry> Links;
    internal WaitQueue? Queue;

    /// <summary>The events of interest; POLLERR and POLLHUP count always. Set before the entry is added.</summary>
    public PollEvents Mask { get; set; }

    /// <summary>Wakes this party exclusively: a notification with a limited count stops after this many exclusive entries (a pipe wakes one reader).</summary>
    public bool Exclusive { get; set; }

    /// <summary>Whether the entry is in a queue.</summary>
    public bool IsQueued => Queue is not null;

    /// <summary>An event of the mask has happened. Runs on the notifier's thread with the queue locked: it may only set a flag, link itself elsewhere, or have a thread woken.</summary>
    /// <param name="events">What has happened.</param>
    /// <param name="wakes">Takes the threads that are to be woken.</param>
    protected internal abstract void OnEvents(PollEvents events, ref PendingWakes wakes);
}
