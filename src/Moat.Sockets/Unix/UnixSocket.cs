using System.Buffers.Binary;
using Moat.Kernel.Credentials;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;
using Moat.Netstack.Sockets;
using Moat.Netstack.Tcp;

namespace Moat.Sockets.Unix;

/// <summary>A unix socket (unix(7)): its name, its queue, and what it has sent that nobody has read. State changes (names, connections, shutdown) happen under the family's lock;
/// data moves under the queues' locks alone.</summary>
internal abstract class UnixSocket : Socket
{
    private static readonly byte[] s_unnamed = default(UnixAddress).ToBytes();

    private int _charged; // interlocked
    private byte[] _localAddress = s_unnamed; // replaced under Family.Lock
    private Errno _error; // guarded by Family.Lock

    protected UnixSocket(UnixFamily family, GuestTask task, SocketType type, OpenFlags flags)
        : base((SocketNetwork)task.Network, task, AddressFamily.AF_UNIX, type, flags)
    {
        Family = family;
    }

    /// <summary>The family, with the names and the lock.</summary>
    public UnixFamily Family { get; }

    /// <inheritdoc/>
    public override bool TakesFilters => true;

    /// <inheritdoc/>
    public override byte[] LocalAddress => _localAddress;

    /// <summary>The checked form of <see cref="LocalAddress"/>. Guarded by the family's lock.</summary>
    public UnixAddress Name { get; private set; }

    /// <summary>What has been sent to it.</summary>
    public UnixQueue Queue { get; } = new();

    /// <summary>Ended directions. Written under the family's lock.</summary>
    public ShutdownDirections Ended { get; protected set; }

    /// <summary>Whether the last descriptor has gone.</summary>
    public bool IsDead { get; private set; }

    /// <summary>Whether its send buffer has room worth telling: at most a quarter is used.</summary>
    protected bool HasRoom => Volatile.Read(ref _charged) <= Options.SendBuffer / 4;

    /// <summary>Whether its send buffer is used up.</summary>
    protected bool IsFull => Volatile.Read(ref _charged) >= Options.SendBuffer;

    /// <inheritdoc/>
    public override Errno Bind(GuestTask task, ReadOnlySpan<byte> address)
    {
        if (!UnixAddress.Parse(address).TryGet(out UnixAddress name, out Errno errno))
        {
            return errno;
        }

        lock (Family.Lock)
        {
            if (LocalAddress.Length > s_unnamed.Length)
            {
                // autobind of a bound socket changes nothing
                return name.IsUnnamed ? Errno.None : Errno.EINVAL;
            }

            if (name.IsUnnamed)
            {
                return AutobindLocked(task);
            }

            if (name.IsAbstract)
            {
                errno = Family.AddNameLocked(this, name);
                if (errno == Errno.None)
                {
                    SetNameLocked(name);
                }

                return errno;
            }
        }

        // The name is made outside of the lock: filesystems take locks that stand further up.
        if (!Family.MakeNode(task, name).TryGet(out Inode? node, out errno))
        {
            return errno;
        }

        lock (Family.Lock)
        {
            if (LocalAddress.Length > s_unnamed.Length)
            {
                return Errno.EINVAL;
            }

            Family.SetNode(node, this);
            SetNameLocked(name);
            return Errno.None;
        }
    }

    /// <inheritdoc/>
    public override Errno TakeError()
    {
        lock (Family.Lock)
        {
            Errno error = _error;
            _error = Errno.None;
            return error;
        }
    }

    /// <inheritdoc/>
    public override SyscallResult Ioctl(GuestTask task, uint request, ulong argument)
    {
        const uint BytesReady = 0x541b; // FIONREAD, SIOCINQ
        const uint BytesSent = 0x5411; // TIOCOUTQ, SIOCOUTQ
        return request switch
        {
            BytesReady when IsListening => Errno.EINVAL,
            BytesReady => task.Memory.Write(new GuestAddress(argument), Type == SocketType.SOCK_DGRAM ? Queue.NextLength : (int)Math.Min(int.MaxValue, Queue.Bytes)),
            BytesSent => task.Memory.Write(new GuestAddress(argument), Volatile.Read(ref _charged)),
            _ => Inet.InetIoctl.HandleInterface(task, Network, request, argument),
        };
    }

    /// <summary>A message has been received or dropped: closes files in it, frees the sender's buffer and tells the sender.</summary>
    public static void Dispose(UnixMessage message)
    {
        UnixSocket sender = message.Sender;
        if (message.Files is { } files)
        {
            message.Files = null;
            sender.Family.InFlight.Drop(message.Credentials.Uid, files);
        }

        sender.Family.Memory.Return(message.HeldBytes);
        int charge = message.Charge;
        sender.Family.Messages.Return(message);
        int left = Interlocked.Add(ref sender._charged, -charge);
        if (left <= sender.Options.SendBuffer / 4)
        {
            sender.Waiters.Notify(PollEvents.Writable);
        }
    }

    /// <summary>Gives the socket an abstract name if it has none and asks for credentials, as sending does.</summary>
    protected Errno AutobindForCredentials(GuestTask task)
    {
        if (!Options.PassCredentials || LocalAddress.Length > s_unnamed.Length)
        {
            return Errno.None;
        }

        lock (Family.Lock)
        {
            return AutobindLocked(task);
        }
    }

    /// <summary>Sets the name without asking anybody: a connection that was accepted has its listener's.</summary>
    protected void InheritNameLocked(UnixSocket listener) => SetNameLocked(listener.Name);

    /// <summary>Sets the pending error.</summary>
    protected void SetErrorLocked(Errno error) => _error = error;

    /// <summary>Whether an error is pending.</summary>
    protected bool HasError => _error != Errno.None;

    /// <summary>Who a task is, as its peers see it.</summary>
    protected static PeerCredentials CredentialsOf(GuestTask task) => new(task.ThreadGroup.Id, task.Credentials.EffectiveUid, task.Credentials.EffectiveGid);

    /// <summary>Makes a message out of guest memory and charges this socket with it.</summary>
    /// <returns>ENOBUFS if the sockets hold too much together; EFAULT; ETOOMANYREFS.</returns>
    protected Result<UnixMessage> NewMessage(GuestTask task, ref IoBuffer source, int length, AncillaryData? ancillary)
    {
        bool isGuaranteed = Volatile.Read(ref _charged) == 0 && length <= SocketMemory.GuaranteedBytes;
        if (!isGuaranteed && Family.Memory.IsShort)
        {
            return Errno.ENOBUFS;
        }

        PeerCredentials who = ancillary?.Credentials ?? new PeerCredentials(task.ThreadGroup.Id, task.Credentials.RealUid, task.Credentials.RealGid);
        UnixMessage message = Family.Messages.Take(this, length, who);
        IoBuffer copy = source;
        int filled = 0;
        Errno errno = Errno.None;
        if (length > 0 && !copy.CopyTo(message.Room).TryGet(out filled, out errno))
        {
            Family.Messages.Return(message);
            return errno;
        }

        if (filled < length && Type != SocketType.SOCK_STREAM)
        {
            Family.Messages.Return(message);
            return Errno.EFAULT;
        }

        if (ancillary is { Files.Count: > 0 })
        {
            bool isFree = task.Credentials.HasCapability(Capability.CAP_SYS_RESOURCE) || task.Credentials.HasCapability(Capability.CAP_SYS_ADMIN);
            errno = Family.InFlight.Add(who.Uid, ancillary.Files.Count, isFree ? ulong.MaxValue : task.ThreadGroup.Limits.Get(ResourceLimits.OpenFiles).Current);
            if (errno != Errno.None)
            {
                Family.Messages.Return(message);
                return errno;
            }

            message.Files = ancillary;
        }

        message.SetLength(filled);
        Interlocked.Add(ref _charged, message.Charge);
        Family.Memory.Take(message.HeldBytes);
        return message;
    }

    /// <summary>Takes back a message that could not be queued; its files stay the caller's.</summary>
    protected void Withdraw(UnixMessage message)
    {
        if (message.Files is { } files)
        {
            message.Files = null;
            Family.InFlight.Remove(message.Credentials.Uid, files.Files.Count);
        }

        Dispose(message);
    }

    /// <summary>What it holds of its send buffer.</summary>
    protected int ChargedBytes => Volatile.Read(ref _charged);

    /// <summary>A description. Under the family's lock.</summary>
    protected SocketDescription Describe(TcpState state, long receiveQueue, long sendQueue, UnixSocket? peer) => new()
    {
        Family = Domain,
        Type = Type,
        Protocol = Protocol,
        Inode = Cookie,
        Owner = Owner,
        State = (int)state,
        ReceiveQueue = receiveQueue,
        SendQueue = sendQueue,
        Name = Name.IsUnnamed ? null : Name.Path.ToArray(),
        Peer = peer?.Cookie ?? 0,
        Shutdown = Ended,
        Buffers = (Options.SendBuffer, Options.ReceiveBuffer),
    };

    /// <inheritdoc/>
    protected override void OnClose()
    {
        lock (Family.Lock)
        {
            IsDead = true;
            Ended = ShutdownDirections.Both;
            if (Name.IsAbstract && Family.FindNameLocked(Network, Type, Name) == this)
            {
                Family.RemoveNameLocked(this, Name);
            }
        }

        for (UnixMessage? message = Queue.Close(); message is not null;)
        {
            UnixMessage? next = message.Next;
            Dispose(message);
            message = next;
        }
    }

    private Errno AutobindLocked(GuestTask task)
    {
        const int Names = 1 << 20;
        Span<byte> random = stackalloc byte[sizeof(uint)];
        task.Kernel.Random.Fill(random);
        uint first = BinaryPrimitives.ReadUInt32LittleEndian(random);
        for (uint i = 0; i < Names; i++)
        {
            UnixAddress name = UnixAddress.Automatic(first + i);
            if (Family.AddNameLocked(this, name) == Errno.None)
            {
                SetNameLocked(name);
                return Errno.None;
            }
        }

        return Errno.ENOSPC;
    }

    private void SetNameLocked(UnixAddress name)
    {
        Name = name;
        _localAddress = name.ToBytes();
    }
}
