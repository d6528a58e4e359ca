using Moat.Netstack.Ip;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Sockets;

/// <summary>The errors about what a socket for datagrams has sent: the one that the next call reports (SO_ERROR), and with IP_RECVERR the queue that MSG_ERRQUEUE reads. Any thread.</summary>
public sealed class SocketErrors(ISocketObserver observer, IpSocketOptions options, SocketMemory memory)
{
    private const int EntryCost = 512; // of an entry beside its payload
    private const int MaxQueuedBytes = 212_992; // rmem_default

    private readonly Lock _lock = new();
    private readonly Queue<QueuedError> _queue = new(); // guarded by _lock
    private int _queuedBytes; // guarded by _lock
    private NetError _pending; // guarded by _lock
    private volatile bool _isSet; // whether there is any of them; written under _lock

    /// <summary>Whether poll(2) tells of an error.</summary>
    public bool IsSet => _isSet;

    /// <summary>SO_ERROR: the pending error, which is cleared.</summary>
    public NetError Take()
    {
        if (!_isSet)
        {
            return NetError.None;
        }

        lock (_lock)
        {
            NetError error = _pending;
            _pending = NetError.None;
            Note();
            return error;
        }
    }

    /// <summary>Takes the oldest entry of the queue; the next one becomes the pending error, as in Linux.</summary>
    /// <param name="sink">Where its payload goes.</param>
    /// <param name="error">The entry.</param>
    /// <returns>WouldBlock if there is none; Fault.</returns>
    public NetError Receive<TSink>(ref TSink sink, out QueuedError error)
        where TSink : struct, IByteSink, allows ref struct
    {
        lock (_lock)
        {
            if (!_queue.TryDequeue(out error))
            {
                return NetError.WouldBlock;
            }

            Forget(error);
            _pending = _queue.TryPeek(out QueuedError next) && !next.IsLocal ? next.Error : error.IsLocal ? _pending : NetError.None;
            Note();
        }

        int wanted = (int)Math.Min(error.Payload.Length, sink.Length);
        return sink.CopyFrom(error.Payload.AsSpan(0, wanted)) < wanted ? NetError.Fault : NetError.None;
    }

    /// <summary>An ICMP error has come (RFC 1122 section 4.1.3.3).</summary>
    /// <param name="error">It.</param>
    /// <param name="destination">Where the datagram was sent to.</param>
    /// <param name="payload">Of the datagram.</param>
    /// <param name="isConnected">Whether the socket is connected to it: without IP_RECVERR only such a one hears, and only of what will not go away by itself.</param>
    public void Report(in IpError error, IpEndpoint destination, ReadOnlySpan<byte> payload, bool isConnected)
    {
        bool queues = options.QueuesErrorsOf(destination.Address);
        bool isTooBig = error.Mtu > 0;
        if (!queues && !(isConnected && (error.IsHard || isTooBig)))
        {
            return;
        }

        lock (_lock)
        {
            NetError reported = isTooBig ? NetError.MessageTooLong : error.Error;
            if (queues)
            {
                Add(new QueuedError
                {
                    Error = reported,
                    Type = error.Type,
                    Code = error.Code,
                    Info = error.Info,
                    Offender = error.Offender,
                    Destination = destination,
                    Message = error.Message,
                    Payload = payload.ToArray(),
                });
            }

            _pending = reported;
            Note();
        }

        observer.OnEvents(NetEvents.Error);
    }

    /// <summary>A datagram was too long to be sent without being cut: with IP_RECVERR the queue tells the path's MTU. The call that sent it reports the error itself.</summary>
    public void ReportTooLong(IpEndpoint destination, int mtu)
    {
        if (!options.QueuesErrorsOf(destination.Address))
        {
            return;
        }

        lock (_lock)
        {
            Add(new QueuedError { Error = NetError.MessageTooLong, IsLocal = true, Info = (uint)mtu, Destination = destination, Payload = [] });
            Note();
        }

        observer.OnEvents(NetEvents.Error);
    }

    /// <summary>Forgets the queue: IP_RECVERR has been turned off, or the socket is closed.</summary>
    public void Clear()
    {
        lock (_lock)
        {
            while (_queue.TryDequeue(out QueuedError error))
            {
                Forget(error);
            }

            Note();
        }
    }

    private void Add(in QueuedError error)
    {
        int cost = EntryCost + error.Payload.Length;
        if (_queuedBytes + cost <= MaxQueuedBytes && !(_queue.Count > 0 && memory.IsShort))
        {
            _queue.Enqueue(error);
            _queuedBytes += cost;
            memory.Take(cost);
        }
    }

    private void Forget(in QueuedError error)
    {
        int cost = EntryCost + error.Payload.Length;
        _queuedBytes -= cost;
        memory.Return(cost);
    }

    private void Note() => _isSet = _pending != NetError.None || _queue.Count > 0;
}
