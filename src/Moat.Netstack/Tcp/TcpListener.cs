using Moat.Netstack.Ip;
using Moat.Netstack.Packets;
using Moat.Netstack.Routing;
using Moat.Netstack.Sockets;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Tcp;

/// <summary>A socket that accepts connections: the half-open ones, of which there are only so many before cookies take their place, and those that wait to be accepted.</summary>
internal sealed class TcpListener(TcpLayer layer, PortBinding binding, TcpOptionSet options, bool isV6Only)
{
    private readonly Lock _lock = new();
    private readonly HashSet<TcpRequest> _requests = []; // guarded by _lock
    private readonly Queue<TcpConnection> _accepted = new(); // guarded by _lock
    private int _reserved; // guarded by _lock: places in the accept queue that are taken or promised
    private int _backlog; // guarded by _lock
    private bool _isClosed; // guarded by _lock
    private long _lastCookieNs = long.MinValue / 2; // written under _lock

    /// <summary>The protocol.</summary>
    public TcpLayer Layer => layer;

    /// <summary>Where it listens.</summary>
    public IpEndpoint Local => binding.Local;

    /// <summary>Its port, which its connections hold as well.</summary>
    public PortBinding Binding => binding;

    /// <summary>What connections inherit.</summary>
    public TcpOptionSet Options => options;

    /// <summary>IPV6_V6ONLY.</summary>
    public bool IsV6Only => isV6Only;

    /// <summary>SO_REUSEPORT with an owner: listeners of one group share connections.</summary>
    public bool ReusesPort { get; init; }

    /// <summary>Who is told of connections.</summary>
    public ISocketObserver? Observer { get; set; }

    /// <summary>Stands for the socket that will accept a connection.</summary>
    public ISocketObserver Pending { get; } = new PendingObserver();

    /// <summary>Connections that wait, for /proc/net/tcp and TCP_INFO.</summary>
    public int AcceptQueueLength
    {
        get
        {
            lock (_lock)
            {
                return _accepted.Count;
            }
        }
    }

    /// <summary>listen(2)'s number.</summary>
    public int Backlog
    {
        get => Volatile.Read(ref _backlog);
        set => Volatile.Write(ref _backlog, value);
    }

    /// <summary>Takes a SYN: answers it, and remembers the peer if there is room.</summary>
    public void ReceiveSyn(in FlowKey key, in TcpSegment segment, TcpTimeWait? remains)
    {
        NetworkStack stack = layer.Stack;
        if (stack.Decide(key.Remote.Address, key.Local.Address, options.Ip.BoundInterface, out RouteDecision route) != NetError.None)
        {
            return;
        }

        long now = stack.Host.NowNs;
        bool useCookie;
        lock (_lock)
        {
            if (_isClosed || _reserved > _backlog)
            {
                return; // nobody accepts: the peer tries again
            }

            useCookie = _requests.Count >= Math.Max(_backlog, 8);
            _lastCookieNs = useCookie ? now : _lastCookieNs;
        }

        int mss = segment.Options.MaxSegmentSize != 0 ? segment.Options.MaxSegmentSize : TcpLimits.DefaultMss;
        TcpHandshake handshake = new()
        {
            LocalInitial = useCookie ? layer.Cookies.Create(key, segment.Start, mss, now) : layer.InitialSequence(key, remains, now),
            RemoteInitial = segment.Start,
            Options = useCookie ? default : segment.Options,
            PeerMss = mss,
            LocalWindowScale = useCookie ? 0 : options.WindowScaleFor(TcpLimits.DefaultReceiveBuffer),
            SentNs = now,
        };
        if (useCookie)
        {
            layer.SendSynAck(key, handshake, options, ref route);
            return;
        }

        TcpRequest request = new(this, key, handshake, route);
        lock (_lock)
        {
            if (_isClosed || !layer.TryAdd(request))
            {
                return;
            }

            _ = _requests.Add(request);
        }

        request.Start(now);
    }

    /// <summary>Takes a segment that may finish a handshake of which only a cookie is left.</summary>
    /// <returns>Whether it did, or was dropped; otherwise the packet is still the caller's.</returns>
    public bool TryReceiveCookie(Packet packet, in FlowKey key, in TcpSegment segment, in IpInfo info)
    {
        NetworkStack stack = layer.Stack;
        SequenceNumber cookie = segment.Header.Acknowledgment - 1;
        SequenceNumber remoteInitial = segment.Start - 1;
        long now = stack.Host.NowNs;
        if (now - Volatile.Read(ref _lastCookieNs) > SynCookies.LifetimeNs || !layer.Cookies.TryVerify(key, cookie, remoteInitial, now, out int mss)
            || stack.Decide(key.Remote.Address, key.Local.Address, options.Ip.BoundInterface, out RouteDecision route) != NetError.None)
        {
            return false;
        }

        if (!TryReserve())
        {
            packet.Release();
            return true;
        }

        TcpHandshake handshake = new() { LocalInitial = cookie, RemoteInitial = remoteInitial, Options = default, PeerMss = mss, LocalWindowScale = 0, SentNs = now };
        Promote(null, handshake, route, packet, segment, info, key);
        return true;
    }

    /// <summary>Whether a connection without data still waits for some.</summary>
    public bool Defers(long sinceNs) => options.DeferAcceptNs > 0 && layer.Stack.Host.NowNs - sinceNs < options.DeferAcceptNs;

    /// <summary>Takes a place in the accept queue.</summary>
    public bool TryReserve()
    {
        lock (_lock)
        {
            if (_isClosed || _reserved > _backlog)
            {
                return false;
            }

            _reserved++;
            return true;
        }
    }

    /// <summary>A handshake is done: the request becomes a connection, which gets the segment that finished it.</summary>
    public void Promote(TcpRequest? request, in TcpHandshake handshake, in RouteDecision route, Packet packet, in TcpSegment segment, in IpInfo info, FlowKey? key = null)
    {
        TcpConnection connection = new(layer, request?.Key ?? key!.Value, options.Clone(), route);
        connection.Observer = Pending; // somebody will read it
        connection.Binding = binding;
        layer.Ports.Retain(binding);
        if (options.ReceiveBuffer > 0)
        {
            connection.Receiver.Buffer = options.ReceiveBuffer;
        }

        lock (connection.Lock)
        {
            connection.Accept(handshake, segment, layer.Stack.Host.NowNs);
        }

        bool added = request is not null ? layer.TryReplace(request, connection) : layer.TryAdd(connection);
        bool isClosed;
        lock (_lock)
        {
            if (request is not null)
            {
                _ = _requests.Remove(request);
            }

            isClosed = _isClosed || !added;
            if (!isClosed)
            {
                _accepted.Enqueue(connection);
            }
            else
            {
                _reserved--;
            }
        }

        if (isClosed)
        {
            packet.Release();
            lock (connection.Lock)
            {
                connection.Abort();
            }

            return;
        }

        layer.CountOpening(isActive: false);
        connection.Receive(packet, segment, info);
        Observer?.OnEvents(NetEvents.Readable);
    }

    /// <summary>A request has ended without a connection.</summary>
    public void OnRequestGone(TcpRequest request)
    {
        lock (_lock)
        {
            _ = _requests.Remove(request);
        }

        layer.Forget(request);
    }

    /// <summary>The next connection, or null.</summary>
    public TcpConnection? Accept()
    {
        lock (_lock)
        {
            if (!_accepted.TryDequeue(out TcpConnection? connection))
            {
                return null;
            }

            _reserved--;
            return connection;
        }
    }

    /// <summary>Ends it: requests are forgotten, waiting connections are reset.</summary>
    public void Close()
    {
        TcpRequest[] requests;
        TcpConnection[] waiting;
        lock (_lock)
        {
            _isClosed = true;
            requests = [.. _requests];
            waiting = [.. _accepted];
            _requests.Clear();
            _accepted.Clear();
        }

        foreach (TcpRequest request in requests)
        {
            request.Drop();
        }

        foreach (TcpConnection connection in waiting)
        {
            lock (connection.Lock)
            {
                connection.Observer = null;
                connection.Abort();
            }
        }
    }

    private sealed class PendingObserver : ISocketObserver
    {
        public void OnEvents(NetEvents events)
        {
        }
    }
}
