using System.Buffers.Binary;
using System.Numerics;
using Moat.Kernel.Credentials;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;
using Moat.Sockets.Inet;

namespace Moat.Sockets.Netlink;

/// <summary>A netlink socket (netlink(7)). Requests are carried out while they are sent; their answers wait to be received.</summary>
internal sealed class NetlinkSocket : Socket
{
    private const int SendReserve = 32;
    private const int MinReceiveCharge = 256; // of a datagram, whatever its length

    private readonly NetlinkFamily _family;
    private readonly INetlinkProtocol _protocol;
    private readonly NetlinkMembership _groups;
    private readonly Lock _lock = new();
    private readonly Queue<NetlinkMessage> _received = new(); // guarded by _lock
    private readonly Queue<byte[]> _dump = new(); // guarded by _lock: the rest of a dump, which moves to _received as that empties
    private long _receivedBytes; // guarded by _lock
    private bool _hasOverrun; // guarded by _lock: until a message has been received
    private Errno _error; // guarded by _lock
    private uint _port; // guarded by _lock until _isBound; 0 until then
    private volatile bool _isBound;
    private NetlinkAddress _peer;

    /// <summary>A new socket, without a port.</summary>
    public NetlinkSocket(NetlinkFamily family, INetlinkProtocol protocol, GuestTask task, SocketType type, OpenFlags flags)
        : base(family.Network, task, AddressFamily.AF_NETLINK, type, flags)
    {
        _family = family;
        _protocol = protocol;
        _groups = new NetlinkMembership(protocol.GroupCount);
    }

    /// <inheritdoc/>
    public override int Protocol => _protocol.Number;

    /// <summary>Its port; 0 before it has one.</summary>
    public uint Port => _isBound ? _port : 0;

    /// <summary>NETLINK_* options.</summary>
    public NetlinkOptions Flags { get; } = new();

    /// <inheritdoc/>
    public override byte[] LocalAddress => new NetlinkAddress(Port, _groups.FirstWord).Format();

    /// <inheritdoc/>
    public override Result<byte[]> PeerAddress => _peer.Format();

    /// <summary>Whether it gets what is sent to a group.</summary>
    public bool IsMember(int group) => _groups.Contains(group);

    /// <inheritdoc/>
    public override Errno Bind(GuestTask task, ReadOnlySpan<byte> address)
    {
        if (!NetlinkAddress.Parse(address).TryGet(out NetlinkAddress wanted, out Errno errno))
        {
            return errno;
        }

        if (_isBound)
        {
            if (wanted.Port != _port)
            {
                return Errno.EINVAL;
            }
        }
        else
        {
            errno = TakePort(task, wanted.Port);
            if (errno != Errno.None)
            {
                return errno;
            }
        }

        _groups.SetFirstWord(wanted.Groups);
        return Errno.None;
    }

    /// <inheritdoc/>
    public override Errno Connect(GuestTask task, ReadOnlySpan<byte> address)
    {
        AddressFamily family = InetAddress.FamilyOf(address);
        if (address.Length >= sizeof(ushort) && family == AddressFamily.AF_UNSPEC)
        {
            _peer = default;
            return Errno.None;
        }

        if (!NetlinkAddress.Parse(address).TryGet(out NetlinkAddress peer, out Errno errno))
        {
            return errno;
        }

        if (!MaySendTo(task, peer))
        {
            return Errno.EPERM;
        }

        errno = _isBound ? Errno.None : TakePort(task, 0);
        _peer = errno == Errno.None ? peer : _peer;
        return errno;
    }

    /// <inheritdoc/>
    public override Errno Shutdown(ShutdownDirections directions) => Errno.EOPNOTSUPP;

    /// <inheritdoc/>
    public override SyscallResult Send(GuestTask task, ref IoBuffer source, MessageFlags flags, ReadOnlySpan<byte> address, AncillaryData? ancillary)
    {
        if ((flags & MessageFlags.MSG_OOB) != 0)
        {
            return Errno.EOPNOTSUPP;
        }

        if (source.Length == 0)
        {
            return Errno.ENODATA;
        }

        NetlinkAddress destination = _peer;
        Errno errno = Errno.None;
        if (!address.IsEmpty && !NetlinkAddress.Parse(address).TryGet(out destination, out errno))
        {
            return errno;
        }

        if (!MaySendTo(task, destination))
        {
            return Errno.EPERM;
        }

        errno = _isBound ? Errno.None : TakePort(task, 0);
        if (errno != Errno.None)
        {
            return errno;
        }

        if (source.Length > Options.SendBuffer - SendReserve)
        {
            return Errno.EMSGSIZE;
        }

        byte[] bytes = new byte[source.Length];
        if (!source.CopyTo(bytes).TryGet(out int copied, out errno) || copied < bytes.Length)
        {
            return Errno.EFAULT;
        }

        if (destination.Groups != 0)
        {
            int group = BitOperations.TrailingZeroCount(destination.Groups) + 1; // the lowest counts
            _family.Ports.Multicast(Protocol, new NetlinkMessage(bytes, _port, group), this);
        }

        if (destination.Port == 0)
        {
            Serve(task, bytes);
            return bytes.Length;
        }

        if (_family.Ports.Find(Protocol, destination.Port) is not { } receiver)
        {
            return Errno.ECONNREFUSED;
        }

        receiver.Deliver(new NetlinkMessage(bytes, _port, 0));
        return bytes.Length;
    }

    /// <inheritdoc/>
    public override SyscallResult Receive(GuestTask task, ref IoBuffer destination, MessageFlags flags, ref ReceivedMessage message)
    {
        if ((flags & MessageFlags.MSG_OOB) != 0)
        {
            return Errno.EOPNOTSUPP;
        }

        NetlinkMessage? first;
        lock (_lock)
        {
            if (_error != Errno.None)
            {
                (Errno error, _error) = (_error, Errno.None);
                return error;
            }

            if (!_received.TryPeek(out first))
            {
                return Errno.EAGAIN;
            }

            if ((flags & MessageFlags.MSG_PEEK) == 0)
            {
                _ = _received.Dequeue();
                _receivedBytes -= ChargeOf(first);
                _family.Home.Memory.Return(ChargeOf(first));
                _hasOverrun = false;
                if (_received.Count == 0 && _dump.TryDequeue(out byte[]? next))
                {
                    AddLocked(new NetlinkMessage(next, 0, 0));
                }
            }
        }

        if (!destination.CopyFrom(first.Bytes).TryGet(out int copied, out Errno errno))
        {
            return errno;
        }

        message.Address = new NetlinkAddress(first.Sender, first.Group is > 0 and <= 32 ? 1u << (first.Group - 1) : 0).Format();
        message.Flags |= copied < first.Bytes.Length ? MessageFlags.MSG_TRUNC : 0;
        if (Options.PassCredentials)
        {
            message.Ancillary = new AncillaryData { Credentials = new PeerCredentials(null, 0, 0) }; // the kernel's
        }

        return (flags & MessageFlags.MSG_TRUNC) != 0 ? first.Bytes.Length : copied;
    }

    /// <summary>Puts a datagram into the queue; one that finds no room is lost, which the next receive tells (ENOBUFS).</summary>
    public void Deliver(NetlinkMessage message)
    {
        lock (_lock)
        {
            if (_receivedBytes + ChargeOf(message) <= Options.ReceiveBuffer && !(_received.Count > 0 && _family.Home.Memory.IsShort))
            {
                AddLocked(message);
            }
            else if (!Flags.IgnoresOverrun && !_hasOverrun)
            {
                _hasOverrun = true;
                _error = Errno.ENOBUFS;
            }
        }

        Waiters.Notify(PollEvents.Readable | PollEvents.POLLERR);
    }

    /// <summary>Tells the sender how one message of a datagram has ended.</summary>
    /// <param name="message">The message; the caller has checked that there is a header.</param>
    /// <param name="errno">How.</param>
    /// <param name="badOffset">Where in it the attribute is that was wrong, or 0.</param>
    public void Acknowledge(ReadOnlySpan<byte> message, Errno errno, int badOffset)
    {
        NetlinkWriter answer = new(_port, NetlinkHeader.Read(message).Sequence);
        WriteStatus(answer, errno, message, badOffset);
        Answer(answer.Finish(), isDump: false);
    }

    /// <inheritdoc/>
    public override Errno TakeError()
    {
        lock (_lock)
        {
            (Errno error, _error) = (_error, Errno.None);
            return error;
        }
    }

    /// <inheritdoc/>
    public override Errno SetOption(GuestTask task, int level, int option, ReadOnlySpan<byte> value) =>
        level == NetlinkOptions.Level ? Flags.Set(_groups, option, value) : Errno.ENOPROTOOPT;

    /// <inheritdoc/>
    public override Result<int> GetOption(GuestTask task, int level, int option, Span<byte> value) =>
        level == NetlinkOptions.Level ? Flags.Get(_groups, option, value) : Errno.ENOPROTOOPT;

    /// <inheritdoc/>
    public override SyscallResult Ioctl(GuestTask task, uint request, ulong argument)
    {
        int next;
        lock (_lock)
        {
            next = _received.TryPeek(out NetlinkMessage? first) ? first.Bytes.Length : 0;
        }

        return InetIoctl.Handle(task, Network, request, argument, next, 0);
    }

    /// <inheritdoc/>
    public override PollEvents Readiness(PollEvents mask)
    {
        lock (_lock)
        {
            PollEvents ready = PollEvents.Writable | PollEvents.POLLWRBAND;
            ready |= _received.Count > 0 ? PollEvents.Readable : 0;
            ready |= _error != Errno.None ? PollEvents.POLLERR : 0;
            return ready & (mask | PollEvents.POLLERR);
        }
    }

    /// <inheritdoc/>
    public override SocketDescription Describe()
    {
        lock (_lock)
        {
            return new SocketDescription
            {
                Family = Domain,
                Type = Type,
                Protocol = Protocol,
                Inode = Cookie,
                Owner = Owner,
                State = 0,
                ReceiveQueue = _receivedBytes,
                Port = Port,
                PeerPort = _peer.Port,
                Groups = _groups.FirstWord,
                Buffers = (Options.SendBuffer, Options.ReceiveBuffer),
            };
        }
    }

    /// <inheritdoc/>
    protected override void OnClose()
    {
        if (_isBound)
        {
            _family.Ports.Release(this, _port);
        }

        lock (_lock)
        {
            _family.Home.Memory.Return(_receivedBytes);
            _received.Clear();
            _dump.Clear();
            _receivedBytes = 0;
        }
    }

    private static long ChargeOf(NetlinkMessage message) => Math.Max(message.Bytes.Length, MinReceiveCharge);

    private static bool MaySendTo(GuestTask task, NetlinkAddress destination) =>
        destination == default || task.Credentials.HasCapability(Capability.CAP_NET_ADMIN);

    private Errno TakePort(GuestTask task, uint port)
    {
        lock (_lock)
        {
            if (_isBound)
            {
                return Errno.None; // another thread was faster
            }

            Errno errno = Errno.None;
            if (port == 0)
            {
                _port = _family.Ports.ClaimAny(this, task.ThreadGroup.Pid);
            }
            else
            {
                errno = _family.Ports.Claim(this, port);
                _port = errno == Errno.None ? port : 0;
            }

            _isBound = errno == Errno.None;
            return errno;
        }
    }

    // netlink_rcv_skb: a message that claims more than there is ends the datagram without a word.
    private void Serve(GuestTask task, ReadOnlySpan<byte> bytes)
    {
        bool isAdmin = task.Credentials.HasCapability(Capability.CAP_NET_ADMIN);
        if (_protocol.TryHandleBatch(bytes, this, isAdmin))
        {
            return;
        }

        while (bytes.Length >= NetlinkHeader.Length)
        {
            NetlinkHeader header = NetlinkHeader.Read(bytes);
            if (header.MessageLength < NetlinkHeader.Length || header.MessageLength > bytes.Length)
            {
                return;
            }

            int length = (int)header.MessageLength;
            ReadOnlySpan<byte> message = bytes[..length];
            NetlinkWriter answer = new(_port, header.Sequence);
            Errno errno = Errno.None;
            bool isDump = false;
            if ((header.Flags & NetlinkFlags.NLM_F_REQUEST) != 0 && header.Type >= NetlinkHeader.MinType)
            {
                errno = IsDumping ? Errno.EBUSY : _protocol.Handle(new NetlinkRequest(header, message[NetlinkHeader.Length..]) { Message = message, Task = task, Sender = this, IsStrict = Flags.IsStrict, IsAdmin = isAdmin }, answer, out isDump);
            }

            if (errno != Errno.None || (!isDump && (header.Flags & NetlinkFlags.NLM_F_ACK) != 0))
            {
                WriteStatus(answer, errno, message, 0);
            }

            Answer(answer.Finish(), isDump && errno == Errno.None);
            bytes = bytes[Math.Min(NetlinkHeader.Align(length), bytes.Length)..];
        }
    }

    private bool IsDumping
    {
        get
        {
            lock (_lock)
            {
                return _dump.Count > 0;
            }
        }
    }

    // NLMSG_ERROR repeats the request, or with NETLINK_CAP_ACK and on success only its header.
    private void WriteStatus(NetlinkWriter answer, Errno errno, ReadOnlySpan<byte> message, int badOffset)
    {
        const ushort NLMSGERR_ATTR_OFFS = 2;
        bool isWhole = errno != Errno.None && !Flags.CapsAcknowledgement;
        byte[] payload = new byte[sizeof(int) + (isWhole ? message.Length : NetlinkHeader.Length)];
        BinaryPrimitives.WriteInt32LittleEndian(payload, -(int)errno);
        message[..(payload.Length - sizeof(int))].CopyTo(payload.AsSpan(sizeof(int)));
        answer.Cut();
        NetlinkFlags flags = isWhole ? NetlinkFlags.None : NetlinkFlags.NLM_F_CAPPED;
        bool showsPlace = badOffset > 0 && Flags.ExtendsAcknowledgement;
        answer.Begin(NetlinkHeader.Error, showsPlace ? flags | NetlinkFlags.NLM_F_ACK_TLVS : flags, payload);
        if (showsPlace)
        {
            answer.Put(NLMSGERR_ATTR_OFFS, (uint)badOffset);
        }

        answer.End();
    }

    private void Answer(List<byte[]> datagrams, bool isDump)
    {
        if (!isDump)
        {
            foreach (byte[] datagram in datagrams)
            {
                Deliver(new NetlinkMessage(datagram, 0, 0));
            }

            return;
        }

        Deliver(new NetlinkMessage(datagrams[0], 0, 0));
        lock (_lock)
        {
            foreach (byte[] datagram in datagrams[1..])
            {
                _dump.Enqueue(datagram);
            }
        }
    }

    private void AddLocked(NetlinkMessage message)
    {
        _received.Enqueue(message);
        _receivedBytes += ChargeOf(message);
        _family.Home.Memory.Take(ChargeOf(message));
    }
}
