using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;
using Moat.Netstack.Tcp;

namespace Moat.Sockets.Unix;

/// <summary>A stream or sequenced-packet socket of AF_UNIX: unconnected, listening, or one end of a connection.</summary>
internal sealed class UnixConnection(UnixFamily family, GuestTask task, SocketType type, OpenFlags flags) : UnixSocket(family, task, type, flags)
{
    /// <summary>The most a stream puts in one message.</summary>
    private const int MaxPiece = 32768;

    private const int MessageReserve = 32;

    private volatile UnixConnection? _peer; // written under Family.Lock
    private Queue<UnixConnection>? _pending; // guarded by Family.Lock; not null when listening
    private bool _isUnaccepted; // its listener closed before anybody accepted it
    private int _backlog; // guarded by Family.Lock
    private PeerCredentials _credentials = PeerCredentials.Nobody; // of this end, for the other; guarded by Family.Lock
    private IReadOnlyList<uint> _groups = [];
    private PeerCredentials _peerCredentials = PeerCredentials.Nobody;
    private IReadOnlyList<uint>? _peerGroups;

    /// <inheritdoc/>
    public override bool IsListening => _pending is not null;

    /// <inheritdoc/>
    public override PeerCredentials PeerCredentials => _peerCredentials;

    /// <inheritdoc/>
    public override IReadOnlyList<uint>? PeerGroups => _peerGroups;

    /// <inheritdoc/>
    public override Result<byte[]> PeerAddress => _peer is { } peer ? peer.LocalAddress : Errno.ENOTCONN;

    /// <summary>Connects two new sockets (socketpair(2)).</summary>
    public void JoinPair(GuestTask task, UnixConnection other)
    {
        lock (Family.Lock)
        {
            Identify(task);
            other.Identify(task);
            JoinLocked(other);
        }
    }

    /// <inheritdoc/>
    public override Errno Listen(GuestTask task, int backlog)
    {
        lock (Family.Lock)
        {
            if (Name.IsUnnamed || _peer is not null)
            {
                return Errno.EINVAL;
            }

            _pending ??= [];
            _backlog = (int)Math.Min((uint)backlog, (uint)Network.MaxBacklog);
            Identify(task);
        }

        Waiters.Notify(PollEvents.Writable);
        return Errno.None;
    }

    /// <inheritdoc/>
    public override Result<Socket> Accept(GuestTask task)
    {
        UnixConnection? next;
        lock (Family.Lock)
        {
            if (_pending is null)
            {
                return Errno.EINVAL;
            }

            if (!_pending.TryDequeue(out next))
            {
                return (Ended & ShutdownDirections.Receive) != 0 ? Errno.EINVAL : Errno.EAGAIN;
            }
        }

        Waiters.Notify(PollEvents.Writable); // those who wait to connect
        return next;
    }

    /// <inheritdoc/>
    public override Errno Connect(GuestTask task, ReadOnlySpan<byte> address)
    {
        if (!UnixAddress.Parse(address).TryGet(out UnixAddress name, out Errno errno))
        {
            return errno;
        }

        if (name.IsUnnamed)
        {
            return Errno.ECONNREFUSED;
        }

        errno = AutobindForCredentials(task);
        if (errno != Errno.None)
        {
            return errno;
        }

        if (!Family.Find(task, name, Type).TryGet(out UnixSocket? found, out errno))
        {
            return errno;
        }

        UnixConnection listener = (UnixConnection)found;
        try
        {
            UnixConnection server = new(Family, task, Type, OpenFlags.O_RDWR);
            lock (Family.Lock)
            {
                errno = listener._pending is null || listener.IsDead || (listener.Ended & ShutdownDirections.Receive) != 0 ? Errno.ECONNREFUSED
                    : listener._pending.Count > listener._backlog ? Errno.EAGAIN
                    : _pending is not null ? Errno.EINVAL
                    : _peer is not null ? Errno.EISCONN : Errno.None;
                if (errno == Errno.None)
                {
                    Identify(task);
                    (server._credentials, server._groups) = (listener._credentials, listener._groups);
                    server.InheritNameLocked(listener);
                    server.Options.PassCredentials = listener.Options.PassCredentials;
                    JoinLocked(server);
                    listener._pending!.Enqueue(server);
                }
            }

            if (errno != Errno.None)
            {
                server.Release();
                return errno;
            }

            listener.Waiters.Notify(PollEvents.Readable);
            Waiters.Notify(PollEvents.Writable);
            return Errno.None;
        }
        finally
        {
            listener.Release();
        }
    }

    /// <inheritdoc/>
    public override Result<Socket> FindListener(GuestTask task, ReadOnlySpan<byte> address)
    {
        if (!UnixAddress.Parse(address).TryGet(out UnixAddress name, out Errno errno))
        {
            return errno;
        }

        return Family.Find(task, name, Type).TryGet(out UnixSocket? found, out errno) ? found : errno;
    }

    /// <inheritdoc/>
    public override Errno Shutdown(ShutdownDirections directions)
    {
        UnixConnection? peer;
        lock (Family.Lock)
        {
            peer = _peer;
            Ended |= directions;
            if (peer is not null)
            {
                peer.Ended |= ((directions & ShutdownDirections.Receive) != 0 ? ShutdownDirections.Send : 0)
                    | ((directions & ShutdownDirections.Send) != 0 ? ShutdownDirections.Receive : 0);
            }
        }

        Waiters.Notify(PollEvents.All);
        peer?.Waiters.Notify(PollEvents.All);
        return Errno.None;
    }

    /// <inheritdoc/>
    public override SyscallResult Send(GuestTask task, ref IoBuffer source, MessageFlags flags, ReadOnlySpan<byte> address, AncillaryData? ancillary)
    {
        bool isStream = Type == SocketType.SOCK_STREAM;
        if ((flags & MessageFlags.MSG_OOB) != 0)
        {
            return Errno.EOPNOTSUPP;
        }

        UnixConnection? peer = _peer;
        if (isStream && !address.IsEmpty)
        {
            return peer is not null ? Errno.EISCONN : Errno.EOPNOTSUPP;
        }

        if (peer is null)
        {
            return Errno.ENOTCONN;
        }

        if ((Ended & ShutdownDirections.Send) != 0)
        {
            return Errno.EPIPE;
        }

        if (!isStream && source.Length > Options.SendBuffer - MessageReserve)
        {
            return Errno.EMSGSIZE;
        }

        long done = 0;
        do
        {
            if (isStream && source.IsEmpty)
            {
                return done;
            }

            if (IsFull)
            {
                return done > 0 ? done : Errno.EAGAIN;
            }

            int length = (int)(isStream ? Math.Min(source.Length, Math.Min(MaxPiece, Math.Max(1, Options.SendBuffer / 2))) : source.Length);
            if (!NewMessage(task, ref source, length, done == 0 ? ancillary : null).TryGet(out UnixMessage? message, out Errno errno))
            {
                return done > 0 ? done : errno;
            }

            int sent = message.Unread.Length;
            if ((peer.Ended & ShutdownDirections.Receive) != 0 || !peer.Queue.Add(message))
            {
                Withdraw(message);
                return done > 0 ? done : Errno.EPIPE;
            }

            peer.Waiters.Notify(PollEvents.Readable);
            source.Advance(sent);
            done += sent;
        }
        while (isStream && !source.IsEmpty);
        return done;
    }

    /// <inheritdoc/>
    public override SyscallResult Receive(GuestTask task, ref IoBuffer destination, MessageFlags flags, ref ReceivedMessage message)
    {
        bool isStream = Type == SocketType.SOCK_STREAM;
        if (isStream && (flags & MessageFlags.MSG_OOB) != 0)
        {
            return Errno.EOPNOTSUPP;
        }

        if (_peer is null)
        {
            return isStream ? Errno.EINVAL : Errno.ENOTCONN;
        }

        bool isEmpty = false;
        bool wantsNothing = isStream && destination.IsEmpty;
        bool isEnded = (Ended & ShutdownDirections.Receive) != 0; // asked before the queue: what came before the end is read first
        SyscallResult result = isStream
            ? Queue.ReadStream(ref destination, flags, Options.PassCredentials, ref message)
            : Queue.ReadMessage(ref destination, flags, Options.PassCredentials, ref message, out isEmpty);
        if (result.IsError || result.Raw > 0 || (isStream ? wantsNothing : !isEmpty))
        {
            return result;
        }

        Errno error = TakeError();
        return error != Errno.None ? error : isEnded ? 0 : Errno.EAGAIN;
    }

    /// <inheritdoc/>
    public override PollEvents Readiness(PollEvents mask)
    {
        PollEvents ready = PollEvents.None;
        ShutdownDirections ended = Ended;
        ready |= HasError ? PollEvents.POLLERR : 0;
        ready |= ended == ShutdownDirections.Both ? PollEvents.POLLHUP : 0;
        ready |= (ended & ShutdownDirections.Receive) != 0 ? PollEvents.POLLRDHUP | PollEvents.Readable : 0;
        if (_pending is { } pending)
        {
            lock (Family.Lock)
            {
                ready |= pending.Count > 0 ? PollEvents.Readable : 0;
            }
        }
        else
        {
            ready |= Queue.Count > 0 ? PollEvents.Readable : 0;
            ready |= _peer is null ? PollEvents.POLLHUP : 0;
            ready |= HasRoom ? PollEvents.Writable | PollEvents.POLLWRBAND : 0;
        }

        return ready & (mask | PollEvents.POLLERR | PollEvents.POLLHUP);
    }

    /// <inheritdoc/>
    public override SocketDescription Describe()
    {
        lock (Family.Lock)
        {
            return Describe(
                _pending is not null ? TcpState.Listen : _peer is not null ? TcpState.Established : TcpState.Closed,
                _pending?.Count ?? Queue.Bytes,
                _pending is not null ? _backlog : ChargedBytes,
                _peer);
        }
    }

    /// <inheritdoc/>
    protected override void OnClose()
    {
        UnixConnection? peer;
        UnixConnection[] waiting = [];
        lock (Family.Lock)
        {
            peer = _peer;
            if (peer is not null)
            {
                peer.Ended = ShutdownDirections.Both;
                if (Queue.Count > 0 || _isUnaccepted)
                {
                    peer.SetErrorLocked(Errno.ECONNRESET);
                }
            }

            if (_pending is not null)
            {
                waiting = [.. _pending];
                _pending.Clear();
            }
        }

        base.OnClose();
        peer?.Waiters.Notify(PollEvents.All);
        foreach (UnixConnection connection in waiting)
        {
            connection._isUnaccepted = true;
            connection.Release();
        }

        Waiters.Notify(PollEvents.All); // those who wait to connect
    }

    private void Identify(GuestTask task) => (_credentials, _groups) = (CredentialsOf(task), task.Credentials.Groups);

    private void JoinLocked(UnixConnection other)
    {
        (_peerCredentials, _peerGroups) = (other._credentials, other._groups);
        (other._peerCredentials, other._peerGroups) = (_credentials, _groups);
        other._peer = this;
        _peer = other;
    }
}
