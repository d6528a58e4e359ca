using Moat.Netstack.Routing;
using Moat.Netstack.Sockets;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Tcp;

/// <summary>A stream socket: unbound, bound, listening or with a connection. Methods never wait: what cannot be done now answers WouldBlock, and the observer tells when to try again.</summary>
/// <remarks>Any thread. Those who send take turns, and so do those who receive; the caller's memory is copied under that turn alone, never under a connection's lock.</remarks>
public sealed class TcpSocket : IDisposable
{
    private readonly TcpLayer _layer;
    private ISocketObserver _observer;
    private readonly Lock _lock = new();
    private readonly TcpSendTurn _send;
    private readonly TcpReceiveTurn _receive;
    private PortBinding? _binding; // guarded by _lock
    private IpAddress? _address; // guarded by _lock: bound to without a port
    private TcpListener? _listener; // guarded by _lock, set once
    private volatile TcpConnection? _connection;

    /// <summary>A new socket.</summary>
    /// <param name="layer">The protocol.</param>
    /// <param name="isV6">AF_INET6.</param>
    /// <param name="observer">Who is told of events.</param>
    public TcpSocket(TcpLayer layer, bool isV6, ISocketObserver observer)
    {
        _layer = layer;
        _send = new TcpSendTurn(layer);
        _receive = new TcpReceiveTurn(layer);
        _observer = observer;
        IsV6 = isV6;
    }

    private TcpSocket(TcpLayer layer, TcpConnection connection, ISocketObserver observer)
        : this(layer, !connection.Key.Remote.Address.IsV4, observer)
    {
        _connection = connection;
        _receive.WasConnected = true;
        Options = connection.Options;
    }

    /// <summary>AF_INET6.</summary>
    public bool IsV6 { get; }

    /// <summary>IPV6_V6ONLY.</summary>
    public bool IsV6Only { get; set; }

    /// <summary>SO_REUSEADDR.</summary>
    public bool ReusesAddress { get; set; }

    /// <summary>SO_REUSEPORT.</summary>
    public bool ReusesPort { get; set; }

    /// <summary>The user that made it, for SO_REUSEPORT.</summary>
    public uint Owner { get; init; }

    /// <summary>Options of TCP and IP.</summary>
    public TcpOptionSet Options { get; } = new();

    /// <summary>Its state.</summary>
    public TcpState State => _listener is not null ? TcpState.Listen : _connection?.State ?? TcpState.Closed;

    /// <summary>Its own end; any address and port 0 before it is bound.</summary>
    public IpEndpoint Local => _connection?.Key.Local ?? _binding?.Local ?? new IpEndpoint(_address ?? (IsV6 ? IpAddress.AnyV6 : IpAddress.AnyV4), 0);

    /// <summary>The peer's end, if there is a connection.</summary>
    public IpEndpoint? Remote => _connection is { IsSynchronized: true } connection ? connection.Key.Remote : null;

    /// <summary>Of a listener: connections that wait to be accepted, and how many may.</summary>
    public (int Waiting, int Backlog) AcceptQueue => _listener is { } listener ? (listener.AcceptQueueLength, listener.Backlog) : (0, 0);

    /// <summary>Bytes that can be read (FIONREAD).</summary>
    public int AvailableBytes => Ask(static connection => connection.Urgent.AvailableBytes);

    /// <summary>SIOCATMARK.</summary>
    public bool IsAtUrgentMark => Ask(static connection => connection.Urgent.IsAtMark);

    /// <summary>Whether data or FIN is not acknowledged yet, after both have been queued: what a close that lingers waits for.</summary>
    public bool IsDraining => _connection is { State: TcpState.FinWait1 or TcpState.Closing or TcpState.LastAck };

    /// <summary>Bytes not acknowledged (SIOCOUTQ).</summary>
    public long UnacknowledgedBytes => _connection?.Sender.Queue.Length ?? 0;

    /// <summary>The bytes of the send buffer and of the receive buffer, set or grown.</summary>
    public (long Send, long Receive) Buffers => (Options.SendBuffer, _connection?.Receiver.Buffer ?? (Options.ReceiveBuffer > 0 ? Options.ReceiveBuffer : TcpLimits.DefaultReceiveBuffer));

    /// <summary>TCP_QUICKACK.</summary>
    public bool IsQuickAck
    {
        get => _connection?.Receiver.AlwaysQuick ?? true;
        set
        {
            if (_connection is { } connection)
            {
                lock (connection.Lock)
                {
                    connection.Receiver.AlwaysQuick = value;
                }
            }
        }
    }

    /// <summary>TCP_MAXSEG: of the connection, or what was asked for.</summary>
    public int SegmentSize => _connection is { IsSynchronized: true } connection ? connection.Sender.Mss : Options.MaxSegment != 0 ? Options.MaxSegment : TcpLimits.DefaultMss;

    /// <summary>TCP_INFO.</summary>
    public TcpStatus Status => _connection is null ? new TcpStatus { State = State } : Ask(static connection => connection.Status);

    /// <summary>TCP_CONGESTION.</summary>
    public void SetCongestionControl(string name)
    {
        Options.CongestionControl = name;
        if (_connection is { } connection)
        {
            lock (connection.Lock)
            {
                connection.ChangeCongestionControl();
            }
        }
    }

    /// <summary>bind(2).</summary>
    /// <returns>Invalid if bound already, WrongFamily, AddressNotAvailable, AddressInUse.</returns>
    public NetError Bind(IpEndpoint local)
    {
        lock (_lock)
        {
            if (_binding is not null || _connection is not null)
            {
                return NetError.Invalid;
            }

            if (!IsV6 && !local.Address.IsV4)
            {
                return NetError.WrongFamily;
            }

            if (!local.Address.IsAny && !Options.Ip.Has(IpFlags.FreeBind) && _layer.Stack.Routes.Find(local.Address, 0) is not { Kind: RouteKind.Local })
            {
                return NetError.AddressNotAvailable;
            }

            if (local.Port == 0 && Options.Ip.Has(IpFlags.BindsNoPort))
            {
                _address = local.Address; // the port comes with the connection, which may share it
                return NetError.None;
            }

            return _layer.Ports.Bind(Claim(local), mayUse: null, out _binding);
        }
    }

    /// <summary>listen(2); a second call changes the backlog.</summary>
    /// <returns>AddressInUse; Invalid if connected.</returns>
    public NetError Listen(int backlog)
    {
        lock (_lock)
        {
            if (_connection is not null)
            {
                return NetError.Invalid;
            }

            if (_listener is not null)
            {
                _listener.Backlog = backlog;
                return NetError.None;
            }

            if (_binding is null)
            {
                NetError error = _layer.Ports.Bind(Claim(new IpEndpoint(_address ?? (IsV6 ? IpAddress.AnyV6 : IpAddress.AnyV4), 0)), mayUse: null, out _binding);
                if (error != NetError.None)
                {
                    return error;
                }
            }

            NetError refused = _layer.Ports.Listen(_binding!);
            if (refused != NetError.None)
            {
                return refused;
            }

            _listener = new TcpListener(_layer, _binding!, Options, IsV6Only) { Backlog = backlog, Observer = _observer, ReusesPort = ReusesPort };
            _layer.Listeners.Add(_listener);
            return NetError.None;
        }
    }

    /// <summary>accept(2).</summary>
    /// <param name="accepted">The new socket, which tells nobody of events before <see cref="Observe"/>.</param>
    /// <returns>WouldBlock; Invalid if it does not listen.</returns>
    public NetError Accept(out TcpSocket? accepted)
    {
        accepted = null;
        if (_listener is not { } listener)
        {
            return NetError.Invalid;
        }

        if (listener.Accept() is not { } connection)
        {
            return NetError.WouldBlock;
        }

        accepted = new TcpSocket(_layer, connection, listener.Pending) { Owner = Owner, ReusesAddress = ReusesAddress };
        return NetError.None;
    }

    /// <summary>Says who is told of an accepted connection's events from now on; what has happened before is found by asking.</summary>
    public void Observe(ISocketObserver observer)
    {
        _observer = observer;
        if (_connection is { } connection)
        {
            lock (connection.Lock)
            {
                connection.Observer = observer;
            }
        }
    }

    /// <summary>connect(2), without waiting.</summary>
    /// <returns>InProgress; AlreadyInProgress, AlreadyConnected, or why it cannot be begun.</returns>
    public NetError Connect(IpEndpoint remote)
    {
        lock (_lock)
        {
            if (_listener is not null)
            {
                return NetError.AlreadyConnected;
            }

            if (_connection is { } existing)
            {
                NetError state = TcpOpening.Check(existing);
                if (state == NetError.AlreadyConnected && !_receive.WasConnected)
                {
                    _receive.WasConnected = true; // the first call after the attempt has succeeded says so
                    return NetError.None;
                }

                if (state != NetError.None)
                {
                    return state;
                }
            }

            NetError error = TcpOpening.CheckTarget(remote.Address, IsV6, IsV6Only, out IpAddress target);
            error = error == NetError.None ? Begin(new IpEndpoint(target, remote.Port)) : error;
            if (error != NetError.None)
            {
                return error;
            }
        }

        _layer.Stack.Flush();
        return NetError.InProgress;
    }

    /// <summary>How a connection attempt went: for who waited for Writable.</summary>
    /// <returns>None if it stands, InProgress, or why it failed.</returns>
    public NetError FinishConnect()
    {
        if (_connection is not { } connection)
        {
            return NetError.NotConnected;
        }

        NetError error = TcpOpening.Finish(connection, _receive.WasConnected);
        _receive.WasConnected |= error == NetError.None;
        return error;
    }

    /// <summary>connect(2) with AF_UNSPEC: the connection is reset and the socket may be used again.</summary>
    public NetError Disconnect()
    {
        lock (_lock)
        {
            if (_connection is { } connection)
            {
                lock (connection.Lock)
                {
                    connection.Observer = null;
                    connection.Abort();
                }

                _connection = null;
                _receive.WasConnected = false;
            }

            CloseListener();
        }

        _layer.Stack.Flush();
        return NetError.None;
    }

    /// <summary>Sends what the buffer has room for.</summary>
    /// <param name="source">The caller's memory.</param>
    /// <param name="more">MSG_MORE: more follows at once.</param>
    /// <param name="isUrgent">MSG_OOB: the last byte is urgent.</param>
    /// <param name="sent">How much was taken.</param>
    /// <returns>WouldBlock if nothing was; Fault, BrokenPipe, NotConnected, or the connection's error.</returns>
    public NetError Send<TSource>(ref TSource source, bool more, bool isUrgent, out long sent)
        where TSource : struct, IByteSource, allows ref struct
    {
        sent = 0;
        return _connection is { } connection ? _send.Send(connection, ref source, more, isUrgent, out sent) : NetError.NotConnected;
    }

    /// <summary>Receives what is there.</summary>
    /// <param name="sink">The caller's memory.</param>
    /// <param name="peek">MSG_PEEK: leaves it.</param>
    /// <param name="received">How much; 0 with None is the end of the stream.</param>
    /// <returns>WouldBlock; Fault, NotConnected, or the connection's error.</returns>
    public NetError Receive<TSink>(ref TSink sink, bool peek, out long received)
        where TSink : struct, IByteSink, allows ref struct
    {
        received = 0;
        return _connection is { } connection ? _receive.Receive(connection, ref sink, peek, out received) : NetError.NotConnected;
    }

    /// <summary>Receives the urgent byte (MSG_OOB).</summary>
    /// <returns>Invalid if there is none, WouldBlock, NotConnected; None with null at the end of the stream.</returns>
    public NetError ReceiveUrgent(bool peek, out byte? value)
    {
        value = null;
        return _connection is { } connection ? _receive.ReceiveUrgent(connection, peek, out value) : _listener is null ? NetError.Invalid : NetError.NotConnected;
    }

    /// <summary>shutdown(2).</summary>
    /// <returns>NotConnected.</returns>
    public NetError Shutdown(bool receive, bool send)
    {
        lock (_lock)
        {
            if (_listener is not null && receive)
            {
                CloseListener();
                _observer.OnEvents(NetEvents.Readable | NetEvents.HangUp); // who waits to accept waits in vain
                return NetError.None;
            }
        }

        if (_connection is not { } connection || connection.State is TcpState.Closed)
        {
            return NetError.NotConnected;
        }

        lock (connection.Lock)
        {
            _receive.HasShutDown |= receive;
            if (send)
            {
                connection.ShutdownSend(_layer.Stack.Host.NowNs);
            }

            _observer.OnEvents(NetEvents.Readable | NetEvents.Writable | NetEvents.ReadHangUp | NetEvents.HangUp);
        }

        _layer.Stack.Flush();
        return NetError.None;
    }

    /// <summary>What it is ready for.</summary>
    public NetEvents Readiness()
    {
        if (_listener is { } listener)
        {
            return listener.AcceptQueueLength > 0 ? NetEvents.Readable : NetEvents.None;
        }

        if (_connection is not { } connection)
        {
            return NetEvents.Writable | NetEvents.HangUp;
        }

        lock (connection.Lock)
        {
            NetEvents events = connection.Readiness(Options.SendBuffer);
            return _receive.HasShutDown ? events | NetEvents.Readable | NetEvents.ReadHangUp : events;
        }
    }

    /// <summary>SO_ERROR: the error, which is cleared.</summary>
    public NetError TakeError() => Ask(static connection => connection.TakeError());

    /// <summary>Applies options that act at once: keep-alive, no delay, an ended cork.</summary>
    public void ApplyOptions()
    {
        if (_connection is not { } connection)
        {
            return;
        }

        lock (connection.Lock)
        {
            long now = _layer.Stack.Host.NowNs;
            connection.KeepAlive.Restart(now);
            if (Options.ReceiveBuffer > 0)
            {
                connection.Receiver.Buffer = Options.ReceiveBuffer;
            }

            connection.Output(now);
        }

        _layer.Stack.Flush();
    }

    /// <summary>close(2).</summary>
    /// <param name="abort">SO_LINGER with a time of zero: the peer gets a reset.</param>
    public void Close(bool abort)
    {
        PortBinding? binding;
        lock (_lock)
        {
            CloseListener();
            binding = _binding;
            _binding = null;
        }

        if (_connection is { } connection)
        {
            lock (connection.Lock)
            {
                if (connection.State != TcpState.Closed && binding is not null)
                {
                    (connection.Binding, binding) = (binding, null); // an orphan keeps its port
                }
            }

            _receive.Close(connection, abort);
            _layer.Stack.Flush();
        }

        if (binding is not null)
        {
            _layer.Ports.Release(binding);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Close(abort: false);

    private T? Ask<T>(Func<TcpConnection, T> question)
    {
        if (_connection is not { } connection)
        {
            return default;
        }

        lock (connection.Lock)
        {
            return question(connection);
        }
    }

    private PortBinding Claim(IpEndpoint local) =>
        new(local, Options.Ip.BoundInterface, IsV6Only) { ReusesAddress = ReusesAddress, ReusesPort = ReusesPort, Owner = Owner };

    // Under _lock.
    private NetError Begin(IpEndpoint remote)
    {
        IpAddress? source = _binding is { Local.Address.IsAny: false } bound ? bound.Local.Address : _address is { IsAny: false } address ? address : null;
        NetError error = _layer.Stack.Decide(remote.Address, source, Options.Ip.BoundInterface, out RouteDecision route);
        if (error != NetError.None)
        {
            return error;
        }

        if (_binding is null)
        {
            IpEndpoint wanted = new(route.Source, 0);
            error = _layer.Ports.Bind(Claim(wanted) with { IsChosen = true }, port => _layer.Find(new FlowKey(new IpEndpoint(route.Source, port), remote)) is null or TcpTimeWait { MayBeReused: true }, out _binding);
            if (error != NetError.None)
            {
                return NetError.AddressNotAvailable;
            }
        }

        error = TcpOpening.Begin(_layer, _binding!, remote, route, Options, _observer, out TcpConnection? connection);
        _connection = connection ?? _connection;
        return error;
    }

    // Under _lock.
    private void CloseListener()
    {
        if (_listener is { } listener)
        {
            _listener = null;
            _layer.Listeners.Remove(listener);
            _layer.Ports.EndListening(listener.Binding);
            listener.Close();
        }
    }
}
