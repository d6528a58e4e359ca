using System.Buffers;
using System.Buffers.Binary;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;
using Moat.Netstack;
using Moat.Netstack.Interfaces;
using Moat.Netstack.Packets;
using Moat.Netstack.PacketSockets;
using Moat.Netstack.Wire;
using Moat.Platform;
using Moat.Sockets.Inet;

namespace Moat.Sockets.PacketSockets;

/// <summary>A packet socket (packet(7)): sees the frames of one interface or all, and sends what it is given. A link without frames shows as one of Ethernet with empty addresses, as Linux shows loopback.</summary>
/// <remarks>Frames come under the stack's locks; this socket's lock is below those, and above that of the ring's memory.</remarks>
internal sealed class PacketSocket : Socket, IPacketSocket
{
    private const ushort AllProtocols = 3; // ETH_P_ALL
    private const int AuxiliaryType = 8; // PACKET_AUXDATA
    private const int AuxiliaryLevel = 263; // SOL_PACKET
    private const int MaxReserve = 1 << 16;

    private readonly PacketFamily _family;
    private readonly Lock _lock = new();
    private readonly Queue<CapturedFrame> _frames = new(); // guarded by _lock
    private PacketRing? _ring; // guarded by _lock
    private long _held; // guarded by _lock: bytes of frames
    private uint _seen; // guarded by _lock
    private uint _lost; // guarded by _lock
    private ushort _protocol;
    private int _interface;
    private bool _isAttached; // guarded by _lock

    /// <summary>A new socket, which sees frames from now on if it has a protocol.</summary>
    public PacketSocket(PacketFamily family, GuestTask task, SocketType type, ushort protocol, OpenFlags flags)
        : base(family.Network, task, AddressFamily.AF_PACKET, type, flags)
    {
        (_family, _protocol) = (family, protocol);
        Attach(protocol);
    }

    /// <summary>The network.</summary>
    public NetworkStack Stack => _family.Stack;

    /// <summary>PACKET_IGNORE_OUTGOING.</summary>
    public bool IgnoresOutgoing { get; set; }

    /// <summary>PACKET_AUXDATA.</summary>
    public bool TellsAuxiliary { get; set; }

    /// <summary>PACKET_RESERVE: room before each frame of a ring.</summary>
    public int Reserve { get; private set; }

    /// <summary>Whether there is a ring.</summary>
    public bool HasRing => Volatile.Read(ref _ring) is not null;

    /// <inheritdoc/>
    public override bool TakesFilters => true;

    /// <inheritdoc/>
    public override int Protocol => BinaryPrimitives.ReverseEndianness(_protocol);

    /// <inheritdoc/>
    public override IMappable? Mappable => Volatile.Read(ref _ring)?.Pages;

    /// <inheritdoc/>
    public override byte[] LocalAddress
    {
        get
        {
            NetworkInterface? owner = Stack.FindInterface(_interface);
            return new PacketAddress(_protocol, _interface)
            {
                HardwareType = owner is null ? (ushort)0 : (ushort)InterfaceFlags.HardwareTypeOf(owner),
                Hardware = owner?.Link.Address ?? default,
            }.Format();
        }
    }

    /// <inheritdoc/>
    public override Result<byte[]> PeerAddress => Errno.EOPNOTSUPP;

    /// <inheritdoc/>
    public override Errno Bind(GuestTask task, ReadOnlySpan<byte> address)
    {
        if (!PacketAddress.Parse(address).TryGet(out PacketAddress wanted, out Errno errno))
        {
            return errno;
        }

        if (wanted.InterfaceIndex != 0 && Stack.FindInterface(wanted.InterfaceIndex) is null)
        {
            return Errno.ENODEV;
        }

        _interface = wanted.InterfaceIndex;
        _protocol = wanted.Protocol != 0 ? wanted.Protocol : _protocol;
        Attach(_protocol);
        return Errno.None;
    }

    /// <inheritdoc/>
    public override Errno Connect(GuestTask task, ReadOnlySpan<byte> address) => Errno.EOPNOTSUPP;

    /// <inheritdoc/>
    public override Errno Shutdown(ShutdownDirections directions) => Errno.EOPNOTSUPP;

    /// <inheritdoc/>
    public void Tap(Packet packet, NetworkInterface owner, bool isOutgoing)
    {
        int wantedInterface = _interface;
        if ((wantedInterface != 0 && wantedInterface != owner.Index) || (isOutgoing && (IgnoresOutgoing || _protocol != AllProtocols)))
        {
            return;
        }

        ushort type = FrameCapture.TypeOf(packet, owner);
        if (_protocol != AllProtocols && _protocol != type)
        {
            return;
        }

        bool isRaw = Type == SocketType.SOCK_RAW;
        if (FrameCapture.TryCapture(packet, owner, isOutgoing, isRaw, type, Options.Filter, _family.Home.Clock.RealtimeNs, out CapturedFrame frame))
        {
            Take(frame, isRaw ? EthernetHeader.Length : 0);
            Waiters.Notify(PollEvents.Readable);
        }
    }

    /// <inheritdoc/>
    public override SyscallResult Send(GuestTask task, ref IoBuffer source, MessageFlags flags, ReadOnlySpan<byte> address, AncillaryData? ancillary)
    {
        PacketAddress to = new(_protocol, _interface);
        if (!address.IsEmpty && !PacketAddress.ParseDestination(address).TryGet(out to, out Errno errno))
        {
            return errno;
        }

        if (Stack.FindInterface(to.InterfaceIndex) is not { } owner)
        {
            return Errno.ENXIO;
        }

        if (!owner.IsUp)
        {
            return Errno.ENETDOWN;
        }

        int headerLength = Type == SocketType.SOCK_RAW ? EthernetHeader.Length : 0;
        if (source.Length > owner.Mtu + headerLength || source.Length > ushort.MaxValue)
        {
            return Errno.EMSGSIZE;
        }

        if (source.Length < headerLength)
        {
            return Errno.EINVAL;
        }

        int length = (int)source.Length;
        Packet packet = Stack.Pool.Rent(length);
        if (!source.CopyTo(packet.Append(length)).TryGet(out int copied, out _) || copied < length)
        {
            packet.Release();
            return Errno.EFAULT;
        }

        if (headerLength == 0 && owner.HasEthernet)
        {
            new EthernetHeader(to.Hardware, owner.Link.Address, (EtherType)to.Protocol).Write(packet.Push(EthernetHeader.Length));
        }
        else if (headerLength > 0 && !owner.HasEthernet)
        {
            packet.Pull(headerLength);
        }

        owner.SendRaw(packet);
        Stack.Flush();
        ancillary?.ReleaseFiles();
        return length;
    }

    /// <inheritdoc/>
    public override SyscallResult Receive(GuestTask task, ref IoBuffer destination, MessageFlags flags, ref ReceivedMessage message)
    {
        const MessageFlags Known = MessageFlags.MSG_PEEK | MessageFlags.MSG_DONTWAIT | MessageFlags.MSG_TRUNC | MessageFlags.MSG_CMSG_CLOEXEC | MessageFlags.MSG_ERRQUEUE;
        if ((flags & ~Known) != 0)
        {
            return Errno.EINVAL;
        }

        if ((flags & MessageFlags.MSG_ERRQUEUE) != 0)
        {
            return Errno.EAGAIN;
        }

        CapturedFrame frame;
        bool peeks = (flags & MessageFlags.MSG_PEEK) != 0;
        byte[] bytes;
        lock (_lock)
        {
            if (!(peeks ? _frames.TryPeek(out frame) : _frames.TryDequeue(out frame)))
            {
                return Errno.EAGAIN;
            }

            bytes = peeks ? frame.Frame.AsSpan(0, frame.Length).ToArray() : frame.Frame;
            if (!peeks)
            {
                Forget(frame);
            }
        }

        bool isCopied = destination.CopyFrom(bytes.AsSpan(0, frame.Length)).TryGet(out int copied, out Errno errno);
        if (!peeks)
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }

        if (!isCopied)
        {
            return errno;
        }

        message.Address = frame.Address.Format();
        message.Flags |= copied < frame.Length ? MessageFlags.MSG_TRUNC : 0;
        if (TellsAuxiliary)
        {
            (message.Ancillary ??= new AncillaryData()).Add(AuxiliaryLevel, AuxiliaryType, FrameCapture.Auxiliary(frame));
        }

        return (flags & MessageFlags.MSG_TRUNC) != 0 ? frame.Length : copied;
    }

    /// <summary>PACKET_STATISTICS: frames seen, lost ones among them, and lost ones, since it was asked last.</summary>
    public (uint Seen, uint Lost) TakeStatistics()
    {
        lock (_lock)
        {
            (uint Seen, uint Lost) counts = (_seen, _lost);
            (_seen, _lost) = (0, 0);
            return counts;
        }
    }

    /// <summary>PACKET_RESERVE.</summary>
    /// <returns>EBUSY with a ring, EINVAL.</returns>
    public Errno SetReserve(int bytes)
    {
        if (HasRing)
        {
            return Errno.EBUSY;
        }

        if (bytes is < 0 or > MaxReserve)
        {
            return Errno.EINVAL;
        }

        Reserve = bytes;
        return Errno.None;
    }

    /// <summary>PACKET_RX_RING: makes the ring, or with no blocks ends it.</summary>
    /// <returns>EBUSY if there is one, or it is to end and is mapped; EINVAL; ENOMEM, also if the sockets hold too much together.</returns>
    public Errno SetRing(MemoryFile memory, ReadOnlySpan<byte> request)
    {
        if (BinaryPrimitives.ReadUInt32LittleEndian(request[4..]) == 0)
        {
            if (Volatile.Read(ref _ring) is { Pages.IsMapped: true })
            {
                return Errno.EBUSY;
            }

            EndRing();
            return Errno.None;
        }

        lock (_lock)
        {
            if (_ring is not null)
            {
                return Errno.EBUSY;
            }

            if (_family.Home.Memory.IsShort)
            {
                return Errno.ENOMEM;
            }

            if (!PacketRing.Create(memory, request, Reserve).TryGet(out PacketRing? ring, out Errno errno))
            {
                return errno;
            }

            _family.Home.Memory.Take(ring.HeldBytes);
            Volatile.Write(ref _ring, ring);
            return Errno.None;
        }
    }

    /// <inheritdoc/>
    public override Errno TakeError() => Errno.None;

    /// <inheritdoc/>
    public override Errno SetOption(GuestTask task, int level, int option, ReadOnlySpan<byte> value) => PacketOptions.Set(task, this, level, option, value);

    /// <inheritdoc/>
    public override Result<int> GetOption(GuestTask task, int level, int option, Span<byte> value) => PacketOptions.Get(this, level, option, value);

    /// <inheritdoc/>
    public override SyscallResult Ioctl(GuestTask task, uint request, ulong argument)
    {
        int next;
        lock (_lock)
        {
            next = _frames.TryPeek(out CapturedFrame frame) ? frame.Length : 0;
        }

        return InetIoctl.Handle(task, Network, request, argument, next, 0);
    }

    /// <inheritdoc/>
    public override PollEvents Readiness(PollEvents mask)
    {
        lock (_lock)
        {
            bool hasFrames = _frames.Count > 0 || _ring is { HasFrames: true };
            return (PollEvents.Writable | PollEvents.POLLWRBAND | (hasFrames ? PollEvents.Readable : 0)) & mask;
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
                Protocol = _protocol,
                Inode = Cookie,
                Owner = Owner,
                InterfaceIndex = _interface,
                ReceiveQueue = _held,
                Drops = _lost,
                Buffers = (Options.SendBuffer, Options.ReceiveBuffer),
            };
        }
    }

    /// <inheritdoc/>
    protected override void OnClose()
    {
        Attach(0);
        lock (_lock)
        {
            while (_frames.TryDequeue(out CapturedFrame frame))
            {
                Forget(frame);
                ArrayPool<byte>.Shared.Return(frame.Frame);
            }
        }

        EndRing();
    }

    // Its memory goes without the socket's lock, which stands below those of the address spaces that may show it.
    private void EndRing()
    {
        PacketRing? ring;
        lock (_lock)
        {
            ring = _ring;
            Volatile.Write(ref _ring, null);
        }

        if (ring is not null)
        {
            _family.Home.Memory.Return(ring.HeldBytes);
            ring.Pages.Clear();
        }
    }

    private void Attach(ushort protocol)
    {
        lock (_lock)
        {
            bool wanted = protocol != 0;
            if (wanted == _isAttached)
            {
                return;
            }

            _isAttached = wanted;
            if (wanted)
            {
                Stack.PacketSockets.Add(this);
            }
            else
            {
                Stack.PacketSockets.Remove(this);
            }
        }
    }

    private void Take(in CapturedFrame frame, int headerLength)
    {
        long cost = frame.Length + CapturedFrame.Overhead;
        lock (_lock)
        {
            _seen++;
            bool isKept = false;
            if (_ring is { } ring)
            {
                _lost += ring.TryWrite(frame.Frame.AsSpan(0, frame.Length), frame.FullLength, headerLength, frame.Address, frame.RealtimeNs, isLosing: _lost > 0) ? 0u : 1;
            }
            else if (_frames.Count == 0 || (_held + cost <= Options.ReceiveBuffer && !_family.Home.Memory.IsShort))
            {
                _frames.Enqueue(frame);
                _held += cost;
                _family.Home.Memory.Take(cost);
                isKept = true;
            }
            else
            {
                _lost++;
            }

            if (!isKept)
            {
                ArrayPool<byte>.Shared.Return(frame.Frame);
            }
        }
    }

    private void Forget(in CapturedFrame frame)
    {
        _held -= frame.Length + CapturedFrame.Overhead;
        _family.Home.Memory.Return(frame.Length + CapturedFrame.Overhead);
    }
}
