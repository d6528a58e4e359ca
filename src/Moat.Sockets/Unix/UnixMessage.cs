using System.Buffers;

namespace Moat.Sockets.Unix;

/// <summary>Bytes on their way to a unix socket, and what goes with them. Guarded by the lock of the queue it is in.</summary>
internal sealed class UnixMessage
{
    /// <summary>What a message counts against the sender's buffer beside its bytes; bounds the number of small ones.</summary>
    private const int Overhead = 576;

    private byte[] _buffer = [];
    private int _length;
    private int _start;
    private int _end;

    /// <summary>What comes after it in the queue.</summary>
    public UnixMessage? Next { get; set; }

    /// <summary>Who sent it: its send buffer is charged until the message has gone.</summary>
    public UnixSocket Sender { get; private set; } = null!; // set by Begin

    /// <summary>The sender's address when it was sent.</summary>
    public byte[] SenderAddress { get; private set; } = [];

    /// <summary>Who sent it, or who it said it was.</summary>
    public PeerCredentials Credentials { get; private set; }

    /// <summary>The files that go with it; null when there are none or they have been received.</summary>
    public AncillaryData? Files { get; set; }

    /// <summary>What it counts.</summary>
    public int Charge => _length + Overhead;

    /// <summary>The memory that it takes.</summary>
    public int HeldBytes => _buffer.Length + Overhead;

    /// <summary>The bytes that have not been received.</summary>
    public ReadOnlySpan<byte> Unread => _buffer.AsSpan(_start, _end - _start);

    /// <summary>The room to fill at first.</summary>
    public Span<byte> Room => _buffer.AsSpan(0, _length);

    /// <summary>Says how much of the room has been filled.</summary>
    public void SetLength(int filled) => _end = filled;

    /// <summary>Drops bytes from the front.</summary>
    public void Skip(int count) => _start += count;

    /// <summary>Keeps only the first bytes of what has not been received.</summary>
    public void Truncate(uint length) => _end = (int)Math.Min(_end, _start + (long)length);

    /// <summary>Becomes a new message, with a buffer for its bytes.</summary>
    public void Begin(UnixSocket sender, int length, PeerCredentials credentials)
    {
        Next = null;
        Sender = sender;
        SenderAddress = sender.LocalAddress;
        Credentials = credentials;
        _buffer = ArrayPool<byte>.Shared.Rent(length);
        (_length, _start, _end) = (length, 0, 0);
    }

    /// <summary>Gives the buffer back and lets go of the sender.</summary>
    public void End()
    {
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
        Sender = null!;
        SenderAddress = [];
    }
}
