using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Kernel.Waiting;
using Moat.Linux;

namespace Moat.Sockets;

/// <summary>A socket (socket(7)): a file with addresses, options and messages. No member blocks: where Linux would wait, they return EAGAIN, and the caller waits and tries again.</summary>
public abstract class Socket : FileDescription
{
    private readonly SocketInode _inode;

    /// <summary>Makes a socket.</summary>
    /// <param name="network">Where it is; it keeps the network.</param>
    /// <param name="task">Who makes it.</param>
    /// <param name="domain">SO_DOMAIN.</param>
    /// <param name="type">SO_TYPE.</param>
    /// <param name="flags">O_NONBLOCK or nothing.</param>
    protected Socket(SocketNetwork network, GuestTask task, AddressFamily domain, SocketType type, OpenFlags flags)
        : base(flags | OpenFlags.O_RDWR, null)
    {
        Network = network;
        network.AddUser();
        _inode = network.Home.NewInode(task);
        Domain = domain;
        Type = type;
    }

    /// <summary>The network that it is in, whichever one those who use it are in.</summary>
    public SocketNetwork Network { get; }

    /// <summary>SO_DOMAIN.</summary>
    public AddressFamily Domain { get; }

    /// <summary>SO_TYPE.</summary>
    public SocketType Type { get; }

    /// <summary>Who made it.</summary>
    public uint Owner => _inode.Owner;

    /// <summary>The next in the registry; the registry's alone, as are the next two.</summary>
    internal Socket? NextRegistered { get; set; }

    /// <summary>The one before it in the registry.</summary>
    internal Socket? PreviousRegistered { get; set; }

    /// <summary>Whether it is in the registry.</summary>
    internal bool IsRegistered { get; set; }

    /// <summary>SO_COOKIE: a number that no other socket has or will have.</summary>
    public ulong Cookie => _inode.Number;

    /// <summary>SO_PROTOCOL.</summary>
    public virtual int Protocol => 0;

    /// <inheritdoc/>
    public override long ReadTimeoutNs => Options.ReceiveTimeoutNs;

    /// <inheritdoc/>
    public override long WriteTimeoutNs => Options.SendTimeoutNs;

    /// <summary>Options that any family has.</summary>
    public SocketOptions Options { get; } = new();

    /// <summary>SO_SNDBUF and SO_RCVBUF, as they are in effect.</summary>
    public virtual (int Send, int Receive) Buffers => (Options.SendBuffer, Options.ReceiveBuffer);

    /// <summary>SO_ACCEPTCONN.</summary>
    public virtual bool IsListening => false;

    /// <summary>SO_PEERCRED.</summary>
    public virtual PeerCredentials PeerCredentials => PeerCredentials.Nobody;

    /// <summary>SO_PEERGROUPS: null (ENODATA) without a peer.</summary>
    public virtual IReadOnlyList<uint>? PeerGroups => null;

    /// <summary>Whether what arrives goes through <see cref="SocketOptions.Filter"/>, so that one can be attached.</summary>
    public virtual bool TakesFilters => false;

    /// <summary>Who waits for a change of this socket.</summary>
    public WaitQueue Waiters { get; } = new();

    /// <inheritdoc/>
    public override Inode Inode => _inode;

    /// <inheritdoc/>
    public override string AnonymousName => $"socket:[{_inode.Number}]";

    /// <inheritdoc/>
    public override bool IsPollable => true;

    /// <inheritdoc/>
    public override bool SignalsReadiness => true;

    /// <summary>bind(2).</summary>
    /// <param name="task">The caller.</param>
    /// <param name="address">A <c>sockaddr</c> as the guest gave it, at most 128 bytes.</param>
    public abstract Errno Bind(GuestTask task, ReadOnlySpan<byte> address);

    /// <summary>listen(2).</summary>
    public virtual Errno Listen(GuestTask task, int backlog) => Errno.EOPNOTSUPP;

    /// <summary>accept(2): the next connection, of which the caller gets the reference; EAGAIN if there is none.</summary>
    public virtual Result<Socket> Accept(GuestTask task) => Errno.EOPNOTSUPP;

    /// <summary>connect(2); EAGAIN when the listener's queue is full.</summary>
    public abstract Errno Connect(GuestTask task, ReadOnlySpan<byte> address);

    /// <summary>The listener whose full queue made <see cref="Connect"/> return EAGAIN, with a reference: its waiters are told of room.</summary>
    public virtual Result<Socket> FindListener(GuestTask task, ReadOnlySpan<byte> address) => Errno.EAGAIN;

    /// <summary>getsockname(2): the address as a <c>sockaddr</c>.</summary>
    public abstract byte[] LocalAddress { get; }

    /// <summary>getpeername(2).</summary>
    /// <returns>ENOTCONN.</returns>
    public abstract Result<byte[]> PeerAddress { get; }

    /// <summary>shutdown(2).</summary>
    /// <returns>ENOTCONN.</returns>
    public abstract Errno Shutdown(ShutdownDirections directions);

    /// <summary>send(2), sendto(2), sendmsg(2). The ancillary data is taken over if anything was sent, and stays the caller's on an error.</summary>
    /// <param name="task">The caller.</param>
    /// <param name="source">The bytes.</param>
    /// <param name="flags">MSG_*.</param>
    /// <param name="address">The destination as a <c>sockaddr</c>; empty for none.</param>
    /// <param name="ancillary">What goes with it.</param>
    /// <returns>How many bytes went (a stream may take a part); EAGAIN; EPIPE (the caller sends SIGPIPE unless MSG_NOSIGNAL).</returns>
    public abstract SyscallResult Send(GuestTask task, ref IoBuffer source, MessageFlags flags, ReadOnlySpan<byte> address, AncillaryData? ancillary);

    /// <summary>recv(2), recvfrom(2), recvmsg(2).</summary>
    /// <returns>How many bytes came; the length of the whole message with MSG_TRUNC; EAGAIN.</returns>
    public abstract SyscallResult Receive(GuestTask task, ref IoBuffer destination, MessageFlags flags, ref ReceivedMessage message);

    /// <summary>How a connection that <see cref="Connect"/> left in progress has come out: EINPROGRESS while it has not.</summary>
    public virtual Errno FinishConnect() => Errno.None;

    /// <summary>setsockopt(2) at a level of the family's own.</summary>
    /// <returns>ENOPROTOOPT, EOPNOTSUPP if the family has no levels.</returns>
    public virtual Errno SetOption(GuestTask task, int level, int option, ReadOnlySpan<byte> value) => Errno.EOPNOTSUPP;

    /// <summary>getsockopt(2) at a level of the family's own.</summary>
    /// <returns>How many bytes of <paramref name="value"/> are the answer.</returns>
    public virtual Result<int> GetOption(GuestTask task, int level, int option, Span<byte> value) => Errno.EOPNOTSUPP;

    /// <summary>How long the value of an option may be that is longer than options are, and that getsockopt(2) reads as well as writes; 0 if it is none.</summary>
    public virtual int LargeOptionLimit(int level, int option) => 0;

    /// <summary>One of <see cref="Options"/> has been set.</summary>
    public virtual void OnOptionsChanged()
    {
    }

    /// <summary>SO_ERROR: takes the pending error.</summary>
    public abstract Errno TakeError();

    /// <inheritdoc/>
    public override SyscallResult Read(GuestTask task, ref IoBuffer destination, long offset)
    {
        ReceivedMessage message = default;
        SyscallResult result = Receive(task, ref destination, MessageFlags.None, ref message);
        message.Ancillary?.ReleaseFiles();
        return result;
    }

    /// <inheritdoc/>
    public override SyscallResult Write(GuestTask task, ref IoBuffer source, ref long offset) => Send(task, ref source, MessageFlags.None, default, null);

    /// <inheritdoc/>
    public override void AddWaiter(WaitEntry entry) => Waiters.Add(entry);

    /// <inheritdoc/>
    public override void RemoveWaiter(WaitEntry entry) => Waiters.Remove(entry);

    /// <summary>What /proc/net and NETLINK_SOCK_DIAG tell of it.</summary>
    public abstract SocketDescription Describe();

    /// <inheritdoc/>
    protected sealed override void OnLastClose()
    {
        Network.Registry.Remove(this);
        OnClose();
        Network.RemoveUser();
    }

    /// <summary>The last reference has gone.</summary>
    protected abstract void OnClose();
}
