using Moat.Kernel.Waiting;
using Moat.Linux;
using Moat.Netstack.Sockets;

namespace Moat.Sockets.Inet;

/// <summary>Wakes those who wait for a socket when the stack says that something has happened to it.</summary>
internal sealed class SocketNotifier : ISocketObserver
{
    /// <summary>Who waits; the socket's own queue, once there is a socket.</summary>
    public WaitQueue? Waiters { get; set; }

    /// <summary>The socket, for the signal that tells of urgent data; null if there is never any.</summary>
    public Socket? Socket { get; set; }

    /// <inheritdoc/>
    public void OnEvents(NetEvents events)
    {
        if ((events & NetEvents.UrgentSignal) != 0)
        {
            Socket?.Async?.NotifyUrgent();
        }

        Waiters?.Notify(ToPollEvents(events));
    }

    /// <summary>The events of poll(2): the bits are the same but for the second names of data.</summary>
    public static PollEvents ToPollEvents(NetEvents events)
    {
        PollEvents result = (PollEvents)(uint)(events & ~(NetEvents.Readable | NetEvents.Writable | NetEvents.UrgentSignal));
        result |= (events & NetEvents.Readable) != 0 ? PollEvents.Readable : 0;
        return result | ((events & NetEvents.Writable) != 0 ? PollEvents.Writable : 0);
    }
}
