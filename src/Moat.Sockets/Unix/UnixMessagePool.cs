namespace Moat.Sockets.Unix;

/// <summary>Messages to be used again, so that sending leaves no garbage. Any thread.</summary>
internal sealed class UnixMessagePool
{
    private const int MaxKept = 64;

    private readonly Lock _lock = new();
    private UnixMessage? _first; // guarded by _lock
    private int _count; // guarded by _lock

    /// <summary>A message with room for some bytes, charged to nobody yet.</summary>
    public UnixMessage Take(UnixSocket sender, int length, PeerCredentials credentials)
    {
        UnixMessage? message;
        lock (_lock)
        {
            message = _first;
            if (message is not null)
            {
                _first = message.Next;
                _count--;
            }
        }

        message ??= new UnixMessage();
        message.Begin(sender, length, credentials);
        return message;
    }

    /// <summary>Gives a message and its buffer back; it is not used after that.</summary>
    public void Return(UnixMessage message)
    {
        message.End();
        lock (_lock)
        {
            if (_count < MaxKept)
            {
                message.Next = _first;
                _first = message;
                _count++;
            }
        }
    }
}
