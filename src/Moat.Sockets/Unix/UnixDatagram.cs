using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;
using Moat.Netstack.Tcp;

namespace Moat.Sockets.Unix;

/// <summary>A datagram socket of AF_UNIX. Delivery is reliable: a full receiver makes senders wait.</summary>
internal sealed class UnixDatagram(UnixFamily family, GuestTask task, OpenFlags flags) : UnixSocket(family, task, SocketType.SOCK_DGRAM, flags)
{
    /// <summary>net.unix.max_dgram_qlen.</summary>
    private const int MaxQueued = 10;

    private const int MessageReserve = 32;

    private readonly HashSet<UnixDatagram> _held = []; // guarded by Family.Lock: senders that found this receiver full
    private volatile UnixDatagram? _peer; // written under Family.Lock
    private PeerCredentials _peerCredentials = PeerCredentials.Nobody;
    private IReadOnlyList<uint>? _peerGroups;

    /// <inheritdoc/>
    public override PeerCredentials PeerCredentials => _peerCredentials;

    /// <inheritdoc/>
    public override IReadOnlyList<uint>? PeerGroups => _peerGroups;

    /// <inheritdoc/>
    public override Result<byte[]> PeerAddress => _peer is { } peer ? peer.LocalAddress : Errno.ENOTCONN;

    /// <summary>Connects two new sockets (socketpair(2)).</summary>
    public void JoinPair(GuestTask task, UnixDatagram other)
    {
        lock (Family.Lock)
        {
            (_peer, other._peer) = (other, this);
            _peerCredentials = other._peerCredentials = CredentialsOf(task);
            _peerGroups = other._peerGroups = task.Credentials.Groups;
        }
    }

    /// <inheritdoc/>
    public override Errno Connect(GuestTask task, ReadOnlySpan<byte> address)
    {
        UnixDatagram? peer = null;
        if (address.Length < sizeof(ushort))
        {
            return Errno.EINVAL;
        }

        if (address[0] != 0 || address[1] != 0)
        {
            if (!UnixAddress.Parse(address).TryGet(out UnixAddress name, out Errno errno))
            {
                return errno;
            }

            errno = name.IsUnnamed ? Errno.ECONNREFUSED : AutobindForCredentials(task);
            if (errno != Errno.None)
            {
                return errno;
            }

            if (!Family.Find(task, name, Type).TryGet(out UnixSocket? found, out errno))
            {
                return errno;
            }

            peer = (UnixDatagram)found;
        }

        lock (Family.Lock)
        {
            if (peer is not null && peer._peer is { } its && its != this)
            {
                peer.Release();
                return Errno.EPERM;
            }

            _peer = peer;
        }

        peer?.Release(); // the connection does not keep the other end open
        Waiters.Notify(PollEvents.Writable);
        return Errno.None;
    }

    /// <inheritdoc/>
    public override Errno Shutdown(ShutdownDirections directions)
    {
        lock (Family.Lock)
        {
            Ended |= directions;
        }

        Waiters.Notify(PollEvents.All);
        return Errno.None;
    }

    /// <inheritdoc/>
    public override SyscallResult Send(GuestTask task, ref IoBuffer source, MessageFlags flags, ReadOnlySpan<byte> address, AncillaryData? ancillary)
    {
        if ((flags & MessageFlags.MSG_OOB) != 0)
        {
            return Errno.EOPNOTSUPP;
        }

        Errno errno = AutobindForCredentials(task);
        if (errno != Errno.None)
        {
            return errno;
        }

        if (address.IsEmpty)
        {
            return _peer is { } peer ? SendTo(task, peer, ref source, ancillary) : Errno.ENOTCONN;
        }

        if (!UnixAddress.Parse(address).TryGet(out UnixAddress name, out errno))
        {
            return errno;
        }

        if (name.IsUnnamed)
        {
            return Errno.ECONNREFUSED;
        }

        if (!Family.Find(task, name, Type).TryGet(out UnixSocket? found, out errno))
        {
            return errno;
        }

        try
        {
            return SendTo(task, (UnixDatagram)found, ref source, ancillary);
        }
        finally
        {
            found.Release();
        }
    }

    /// <inheritdoc/>
    public override SyscallResult Receive(GuestTask task, ref IoBuffer destination, MessageFlags flags, ref ReceivedMessage message)
    {
        if ((flags & MessageFlags.MSG_OOB) != 0)
        {
            return Errno.EOPNOTSUPP;
        }

        bool isEnded = (Ended & ShutdownDirections.Receive) != 0;
        SyscallResult result = Queue.ReadMessage(ref destination, flags, Options.PassCredentials, ref message, out bool isEmpty);
        if (!isEmpty)
        {
            WakeHeld();
            return result;
        }

        Errno error = TakeError();
        return error != Errno.None ? error : isEnded ? 0 : Errno.EAGAIN;
    }

    /// <inheritdoc/>
    public override PollEvents Readiness(PollEvents mask)
    {
        PollEvents ready = HasError ? PollEvents.POLLERR : 0;
        ready |= Ended == ShutdownDirections.Both ? PollEvents.POLLHUP : 0;
        ready |= (Ended & ShutdownDirections.Receive) != 0 ? PollEvents.POLLRDHUP | PollEvents.Readable : 0;
        ready |= Queue.Count > 0 ? PollEvents.Readable : 0;
        if (HasRoom && (mask & PollEvents.Writable) != 0 && !(_peer is { } peer && peer.Holds(this)))
        {
            ready |= PollEvents.Writable | PollEvents.POLLWRBAND;
        }

        return ready & (mask | PollEvents.POLLERR | PollEvents.POLLHUP);
    }

    /// <inheritdoc/>
    public override SocketDescription Describe()
    {
        lock (Family.Lock)
        {
            return Describe(_peer is null ? TcpState.Closed : TcpState.Established, Queue.Bytes, ChargedBytes, _peer);
        }
    }

    /// <inheritdoc/>
    protected override void OnClose()
    {
        // A peer finds out when it sends (ECONNREFUSED).
        base.OnClose();
        WakeHeld();
    }

    private SyscallResult SendTo(GuestTask task, UnixDatagram receiver, ref IoBuffer source, AncillaryData? ancillary)
    {
        if (source.Length > Options.SendBuffer - MessageReserve)
        {
            return Errno.EMSGSIZE;
        }

        if ((Ended & ShutdownDirections.Send) != 0 || (!receiver.IsDead && (receiver.Ended & ShutdownDirections.Receive) != 0))
        {
            return Errno.EPIPE;
        }

        if (receiver.IsDead)
        {
            lock (Family.Lock)
            {
                _peer = _peer == receiver ? null : _peer;
            }

            return Errno.ECONNREFUSED;
        }

        if (receiver._peer is { } its && its != this)
        {
            return Errno.EPERM; // it talks to another
        }

        if (IsFull || (receiver != this && receiver.Holds(this)))
        {
            return Errno.EAGAIN;
        }

        if (!NewMessage(task, ref source, (int)source.Length, ancillary).TryGet(out UnixMessage? message, out Errno errno))
        {
            return errno;
        }

        int sent = message.Unread.Length;
        if (receiver.Options.Filter is { } filter)
        {
            uint wanted = filter.Run(message.Unread);
            if (wanted == 0)
            {
                Withdraw(message);
                source.Advance(sent);
                return sent; // the sender does not hear of it
            }

            message.Truncate(wanted);
        }

        if (!receiver.Queue.Add(message))
        {
            Withdraw(message);
            return Errno.ECONNREFUSED;
        }

        source.Advance(sent);
        receiver.Waiters.Notify(PollEvents.Readable);
        return sent;
    }

    // Whether this receiver is too full for a sender; if so it will be told of room.
    private bool Holds(UnixDatagram sender)
    {
        if (_peer == sender || Queue.Count <= MaxQueued)
        {
            return false;
        }

        lock (Family.Lock)
        {
            _held.Add(sender);
        }

        // A reader may have made room before the sender was on the list.
        return Queue.Count > MaxQueued && !IsDead;
    }

    private void WakeHeld()
    {
        if (Queue.Count > MaxQueued && !IsDead)
        {
            return;
        }

        UnixDatagram[] held;
        lock (Family.Lock)
        {
            if (_held.Count == 0)
            {
                return;
            }

            held = [.. _held];
            _held.Clear();
        }

        foreach (UnixDatagram sender in held)
        {
            sender.Waiters.Notify(PollEvents.Writable);
        }
    }
}
