using Moat.Kernel.Credentials;
using Moat.Kernel.Signals;
using Moat.Kernel.Tasks;
using Moat.Kernel.Waiting;
using Moat.Linux;

namespace Moat.Kernel.Ipc;

/// <summary>A POSIX message queue (mq_overview(7)). Any thread.</summary>
/// <param name="creator">Whose it is.</param>
/// <param name="mode">Its permissions.</param>
/// <param name="maxMessages">How many messages it holds.</param>
/// <param name="maxSize">How long a message may be.</param>
public sealed class PosixQueue(TaskCredentials creator, uint mode, int maxMessages, int maxSize)
{
    private const int SigevNone = 1;

    private readonly object _lock = new();
    private readonly LinkedList<PosixMessage> _messages = []; // guarded by _lock: by priority, then by age
    private ThreadGroup? _notified; // guarded by _lock
    private TimerNotification _notification; // guarded by _lock

    /// <summary>How often it is open. Guarded by <see cref="PosixQueues"/>.</summary>
    internal int Users { get; set; }

    /// <summary>Whether it has lost its name. Guarded by <see cref="PosixQueues"/>.</summary>
    internal bool IsUnlinked { get; set; }

    /// <summary>How many messages it holds at most.</summary>
    public int MaxMessages => maxMessages;

    /// <summary>How long a message may be.</summary>
    public int MaxSize => maxSize;

    /// <summary>Told when a message comes or goes.</summary>
    public WaitQueue Changes { get; } = new();

    /// <summary>How many messages there are.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _messages.Count;
            }
        }
    }

    /// <summary>What read(2) of the queue tells: bytes that wait, and who is told of the next message (mq_overview(7)).</summary>
    public string Describe()
    {
        lock (_lock)
        {
            long bytes = 0;
            foreach (PosixMessage message in _messages)
            {
                bytes += message.Text.Length;
            }

            (int kind, int signal, int pid) = _notified is { IsZombie: false } process ? (_notification.Signal == Signal.None ? SigevNone : 0, (int)_notification.Signal, process.Pid) : default;
            return $"QSIZE:{bytes,-10} NOTIFY:{kind,-5} SIGNO:{signal,-5} NOTIFY_PID:{pid,-6}\n";
        }
    }

    /// <summary>Whether the task may open it: permission bits of read (4) and write (2).</summary>
    public bool Allows(TaskCredentials who, uint wanted)
    {
        int shift = who.EffectiveUid == creator.EffectiveUid ? 6 : who.IsInGroup(creator.EffectiveGid) ? 3 : 0;
        return (wanted & ~(mode >> shift)) == 0 || who.HasCapability(Capability.CAP_DAC_OVERRIDE);
    }

    /// <summary>Whether the task may unlink it, in a directory whose sticky bit is set.</summary>
    public bool IsOwnedBy(TaskCredentials who) => who.EffectiveUid == creator.EffectiveUid || who.HasCapability(Capability.CAP_FOWNER);

    /// <summary>Adds a message if there is room, and tells whoever asked to be told of the first (mq_notify(3)).</summary>
    public bool TryAdd(GuestTask sender, PosixMessage message)
    {
        ThreadGroup? notified = null;
        TimerNotification notification = default;
        lock (_lock)
        {
            if (_messages.Count >= maxMessages)
            {
                return false;
            }

            LinkedListNode<PosixMessage>? node = _messages.Last;
            while (node is not null && node.Value.Priority < message.Priority)
            {
                node = node.Previous;
            }

            if (node is null)
            {
                _messages.AddFirst(message);
            }
            else
            {
                _messages.AddAfter(node, message);
            }

            if (_messages.Count == 1 && Changes.IsEmpty)
            {
                (notified, notification) = (_notified, _notification);
                _notified = null;
            }
        }

        Changes.Notify(PollEvents.Readable);
        if (notified is not null && notification.Signal != Signal.None)
        {
            lock (sender.Kernel.TaskLock)
            {
                SignalSender.SendToProcess(notified, SignalInfo.FromQueue(notification.Signal, sender.ThreadGroup.Pid, sender.Credentials.RealUid, notification.Value ?? 0));
            }
        }

        return true;
    }

    /// <summary>Takes the first message out, or null.</summary>
    public PosixMessage? TryTake()
    {
        PosixMessage message;
        lock (_lock)
        {
            if (_messages.First is not { } first)
            {
                return null;
            }

            message = first.Value;
            _messages.RemoveFirst();
        }

        Changes.Notify(PollEvents.Writable);
        return message;
    }

    /// <summary>mq_notify(3): has a process told of the next message, or no longer.</summary>
    /// <returns>EBUSY if another is.</returns>
    public Errno SetNotification(ThreadGroup process, TimerNotification? notification)
    {
        lock (_lock)
        {
            if (notification is { } wanted)
            {
                if (_notified is { IsZombie: false })
                {
                    return Errno.EBUSY;
                }

                (_notified, _notification) = (process, wanted);
            }
            else if (_notified == process)
            {
                _notified = null;
            }

            return Errno.None;
        }
    }
}
