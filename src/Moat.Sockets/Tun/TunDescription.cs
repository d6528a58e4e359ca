using System.Buffers.Binary;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Kernel.Waiting;
using Moat.Linux;
using Moat.Netstack.Interfaces;
using Moat.Netstack.Link;
using Moat.Netstack.Packets;
using Moat.Netstack.Wire;

namespace Moat.Sockets.Tun;

/// <summary>An open /dev/net/tun: once it has an interface, reads give what that sends, and writes are what it receives, a packet each.</summary>
internal sealed class TunDescription : FileDescription, ITunReader
{
    private const int InformationLength = 4; // struct tun_pi
    private const ushort Stripped = 1; // TUN_PKT_STRIP
    private const int MaxPacket = 65535 + EthernetHeader.Length;

    private readonly WaitQueue _waiters = new();
    private readonly SocketNetwork _network;
    private TunLink? _link; // set once, under the lock of interfaces

    /// <summary>A file that has no interface yet; its network is that of the task that opens it, which it keeps.</summary>
    public TunDescription(SocketNetwork network, OpenFlags flags, PathLocation location)
        : base(flags, location)
    {
        network.AddUser();
        _network = network;
    }

    /// <inheritdoc/>
    public override Inode Inode => Location!.Value.Inode;

    /// <inheritdoc/>
    public override bool IsPollable => true;

    /// <inheritdoc/>
    public override bool SignalsReadiness => true;

    /// <summary>The network that interfaces are made in.</summary>
    public SocketNetwork Network => _network;

    /// <summary>Its interface; null before it has one, and once that has been deleted.</summary>
    public TunLink? Link => Volatile.Read(ref _link) is { HasGone: false } link ? link : null;

    /// <summary>Whether a header with the protocol stands before each packet (no IFF_NO_PI).</summary>
    public bool HasInformation { get; private set; }

    /// <summary>It has an interface from now on, which it has taken. Under the lock of interfaces.</summary>
    public void Attach(TunLink link, bool hasInformation)
    {
        HasInformation = hasInformation;
        Volatile.Write(ref _link, link);
    }

    /// <inheritdoc/>
    public override SyscallResult Ioctl(GuestTask task, uint request, ulong argument) => TunIoctl.Handle(task, this, request, new GuestAddress(argument));

    /// <inheritdoc/>
    public override SyscallResult Read(GuestTask task, ref IoBuffer destination, long offset)
    {
        if (Link is not { } link)
        {
            return Errno.EBADFD;
        }

        if (link.Take() is not { } packet)
        {
            return Errno.EAGAIN;
        }

        if (HasInformation && destination.Length < InformationLength)
        {
            packet.Release(); // it is gone all the same, as in Linux
            return Errno.EINVAL;
        }

        long length = packet.Length + (HasInformation ? InformationLength : 0);
        long read = Math.Min(length, destination.Length);
        Errno errno = CopyOut(packet, ref destination, isCut: read < length);
        packet.Release();
        return errno != Errno.None ? errno : read;
    }

    /// <inheritdoc/>
    public override SyscallResult Write(GuestTask task, ref IoBuffer source, ref long offset)
    {
        if (Link is not { Interface: { } owner } link)
        {
            return Errno.EBADFD;
        }

        long written = source.Length;
        long length = written - (HasInformation ? InformationLength : 0);
        if (length < (link.IsTap ? EthernetHeader.Length : 1) || length > MaxPacket)
        {
            return Errno.EINVAL;
        }

        if (!owner.IsUp)
        {
            return Errno.EIO;
        }

        Span<byte> information = stackalloc byte[InformationLength];
        if (HasInformation && (!source.CopyTo(information).TryGet(out int head, out _) || head < information.Length))
        {
            return Errno.EFAULT;
        }

        int room = (int)Math.Min(length, ushort.MaxValue + 1);
        Packet packet = owner.Stack.Pool.Rent(room);
        if (!source.CopyTo(packet.Append(room)).TryGet(out int copied, out _) || copied < room)
        {
            packet.Release();
            return Errno.EFAULT;
        }

        if (!link.IsTap && packet.Linear[0] >> 4 is not (4 or 6))
        {
            packet.Release();
            return Errno.EINVAL;
        }

        packet.ArrivedNs = owner.Stack.Host.NowNs;
        owner.Deliver(packet);
        owner.Flush();
        return written;
    }

    /// <inheritdoc/>
    public override PollEvents Readiness(PollEvents mask) =>
        Link is not { } link ? PollEvents.POLLERR : ((link.IsReadable ? PollEvents.Readable : 0) | PollEvents.Writable) & mask;

    /// <inheritdoc/>
    public override void AddWaiter(WaitEntry entry) => _waiters.Add(entry);

    /// <inheritdoc/>
    public override void RemoveWaiter(WaitEntry entry) => _waiters.Remove(entry);

    /// <inheritdoc/>
    public void OnReadable() => _waiters.Notify(PollEvents.Readable);

    /// <inheritdoc/>
    protected override void OnLastClose()
    {
        lock (_network.LinkLock)
        {
            if (_link is { } link)
            {
                link.Leave();
                if (!link.IsPersistent && link.Interface is { } owner)
                {
                    owner.Stack.Delete(owner);
                }
                else if (link.Interface is { } stays)
                {
                    stays.Stack.Observer?.OnLink(stays); // without a carrier
                }
            }
        }

        _network.RemoveUser();
    }

    private Errno CopyOut(Packet packet, ref IoBuffer destination, bool isCut)
    {
        if (HasInformation)
        {
            Span<byte> information = stackalloc byte[InformationLength];
            BinaryPrimitives.WriteUInt16LittleEndian(information, isCut ? Stripped : (ushort)0);
            ReadOnlySpan<byte> head = packet.Linear;
            EtherType type = _link!.IsTap ? (EtherType)BinaryPrimitives.ReadUInt16BigEndian(head[(EthernetHeader.Length - sizeof(ushort))..]) : head[0] >> 4 == 6 ? EtherType.Ipv6 : EtherType.Ipv4;
            BinaryPrimitives.WriteUInt16BigEndian(information[2..], (ushort)type);
            if (!destination.CopyFrom(information).TryGet(out _, out Errno errno))
            {
                return errno;
            }
        }

        for (int at = 0; at < packet.Length && !destination.IsEmpty;)
        {
            if (!destination.CopyFrom(packet.PieceAt(at)).TryGet(out int count, out Errno errno))
            {
                return errno;
            }

            at += count;
        }

        return Errno.None;
    }
}
