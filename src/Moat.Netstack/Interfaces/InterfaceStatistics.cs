namespace Moat.Netstack.Interfaces;

/// <summary>What an interface counts (IFLA_STATS64, /proc/net/dev). Any thread; a number may lag behind another.</summary>
public sealed class InterfaceStatistics
{
    private long _receivedPackets;
    private long _receivedBytes;
    private long _receiveErrors;
    private long _receiveDropped;
    private long _sentPackets;
    private long _sentBytes;
    private long _sendDropped;

    /// <summary>Packets that came in.</summary>
    public long ReceivedPackets => Volatile.Read(ref _receivedPackets);

    /// <summary>Their bytes.</summary>
    public long ReceivedBytes => Volatile.Read(ref _receivedBytes);

    /// <summary>Packets that were malformed.</summary>
    public long ReceiveErrors => Volatile.Read(ref _receiveErrors);

    /// <summary>Packets that nobody wanted or that found no room.</summary>
    public long ReceiveDropped => Volatile.Read(ref _receiveDropped);

    /// <summary>Packets that went out.</summary>
    public long SentPackets => Volatile.Read(ref _sentPackets);

    /// <summary>Their bytes.</summary>
    public long SentBytes => Volatile.Read(ref _sentBytes);

    /// <summary>Packets that could not go out.</summary>
    public long SendDropped => Volatile.Read(ref _sendDropped);

    internal void CountReceived(int bytes)
    {
        Interlocked.Increment(ref _receivedPackets);
        Interlocked.Add(ref _receivedBytes, bytes);
    }

    internal void CountReceiveError() => Interlocked.Increment(ref _receiveErrors);

    internal void CountReceiveDropped() => Interlocked.Increment(ref _receiveDropped);

    internal void CountSent(int bytes)
    {
        Interlocked.Increment(ref _sentPackets);
        Interlocked.Add(ref _sentBytes, bytes);
    }

    internal void CountSendDropped() => Interlocked.Increment(ref _sendDropped);
}
