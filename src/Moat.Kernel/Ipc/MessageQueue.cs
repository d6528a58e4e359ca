using Moat.Kernel.Credentials;
using Moat.Kernel.Waiting;
using Moat.Linux;

namespace Moat.Kernel.Ipc;

/// <summary>A System V message queue (msgop(2)). Guarded by its table's lock.</summary>
public sealed class MessageQueue(IpcNamespace ipc, int key, TaskCredentials creator, uint mode, long nowSeconds) : IpcObject(key, creator, mode, nowSeconds)
{
    /// <summary>MSGMNB: bytes of a queue unless somebody sets another limit.</summary>
    public const uint DefaultMaxBytes = 16384;

    private readonly LinkedList<IpcMessage> _messages = [];

    /// <summary>Bytes that are queued.</summary>
    public ulong Bytes { get; private set; }

    /// <summary>msg_qbytes.</summary>
    public ulong MaxBytes { get; set; } = DefaultMaxBytes;

    /// <summary>How many messages there are.</summary>
    public int Count => _messages.Count;

    public long SendTime { get; private set; }
    public long ReceiveTime { get; private set; }
    public int LastSender { get; private set; }
    public int LastReceiver { get; private set; }

    /// <summary>Told when a message comes or goes, or the queue does.</summary>
    public WaitQueue Changes { get; } = new();

    /// <summary>Adds a message if there is room.</summary>
    public bool TryAdd(IpcMessage message, int pid, long nowSeconds)
    {
        if (Bytes + (ulong)message.Text.Length > MaxBytes || (ulong)_messages.Count >= MaxBytes || !ipc.MessageBudget.TryTake(CostOf(message)))
        {
            return false;
        }

        _messages.AddLast(message);
        Bytes += (ulong)message.Text.Length;
        (LastSender, SendTime) = (pid, nowSeconds);
        Changes.Notify(PollEvents.POLLIN);
        return true;
    }

    /// <summary>Finds the message that msgrcv(2) asks for.</summary>
    /// <param name="type">0 for the first, positive for a type, negative for the lowest type up to its absolute value.</param>
    /// <param name="isExcept">MSG_EXCEPT: the first of another type.</param>
    public IpcMessage? Find(long type, bool isExcept)
    {
        IpcMessage? best = null;
        foreach (IpcMessage message in _messages)
        {
            if (type >= 0)
            {
                if (type == 0 || (message.Type == type) != isExcept)
                {
                    return message;
                }
            }
            else if (message.Type <= (type == long.MinValue ? long.MaxValue : -type) && (best is null || message.Type < best.Type))
            {
                best = message;
            }
        }

        return best;
    }

    /// <summary>The message at a place in the queue (MSG_COPY), or null.</summary>
    public IpcMessage? At(long index) => index >= 0 && index < _messages.Count ? _messages.ElementAt((int)index) : null;

    /// <summary>IPC_RMID: the messages are gone, and whoever waits hears of it.</summary>
    public void OnRemoved()
    {
        foreach (IpcMessage message in _messages)
        {
            ipc.MessageBudget.Return(CostOf(message));
        }

        _messages.Clear();
        Changes.Notify(PollEvents.POLLIN);
    }

    /// <summary>Takes a message out.</summary>
    public void Take(IpcMessage message, int pid, long nowSeconds)
    {
        _messages.Remove(message);
        Bytes -= (ulong)message.Text.Length;
        ipc.MessageBudget.Return(CostOf(message));
        (LastReceiver, ReceiveTime) = (pid, nowSeconds);
        Changes.Notify(PollEvents.POLLIN);
    }

    private static long CostOf(IpcMessage message)
    {
        const int Overhead = 128;
        return message.Text.Length + Overhead;
    }
}
