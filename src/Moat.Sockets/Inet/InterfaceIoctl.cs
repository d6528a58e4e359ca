using System.Buffers.Binary;
using Moat.Kernel.Credentials;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Linux;
using Moat.Netstack;
using Moat.Netstack.Interfaces;
using Moat.Netstack.Wire;
using Moat.Sockets.Netlink;

namespace Moat.Sockets.Inet;

/// <summary>The ioctls of netdevice(7) that change interfaces, which ifconfig(8) and old programs use. Tunnels, bridges (SIOCBR*) and the rest have none here.</summary>
internal static class InterfaceIoctl
{
    private const uint SIOCSIFFLAGS = 0x8914;
    private const uint SIOCSIFADDR = 0x8916;
    private const uint SIOCSIFBRDADDR = 0x891a;
    private const uint SIOCSIFNETMASK = 0x891c;
    private const uint SIOCSIFMTU = 0x8922;
    private const uint SIOCSIFNAME = 0x8923;
    private const uint SIOCSIFHWADDR = 0x8924;
    private const uint SIOCSIFTXQLEN = 0x8943;
    private const int NameLength = 16;
    private const int RequestLength = 40; // struct ifreq

    /// <summary>Whether a request is one of these.</summary>
    public static bool Handles(uint request) =>
        request is SIOCSIFFLAGS or SIOCSIFADDR or SIOCSIFBRDADDR or SIOCSIFNETMASK or SIOCSIFMTU or SIOCSIFNAME or SIOCSIFHWADDR or SIOCSIFTXQLEN;

    /// <summary>Carries out a request.</summary>
    /// <returns>EPERM without CAP_NET_ADMIN; ENODEV; what rtnetlink(7) says of the same change.</returns>
    public static Errno Handle(GuestTask task, SocketNetwork network, uint request, GuestAddress address)
    {
        Span<byte> ifreq = stackalloc byte[RequestLength];
        Errno errno = task.Memory.CopyIn(address, ifreq);
        if (errno != Errno.None)
        {
            return errno;
        }

        if (!task.Credentials.HasCapability(Capability.CAP_NET_ADMIN))
        {
            return Errno.EPERM;
        }

        string name = InetIoctl.ReadName(ifreq[..NameLength]);
        lock (network.LinkLock)
        {
            // An address may be that of an alias, "eth0:1".
            string owner = request is SIOCSIFADDR or SIOCSIFBRDADDR or SIOCSIFNETMASK or SIOCSIFFLAGS ? name.Split(':')[0] : name;
            return network.Stack.FindInterface(owner) is { } link ? Change(link, request, name, ifreq[NameLength..]) : Errno.ENODEV;
        }
    }

    private static Errno Change(NetworkInterface link, uint request, string label, ReadOnlySpan<byte> value)
    {
        Errno errno;
        int number = BinaryPrimitives.ReadInt32LittleEndian(value);
        switch (request)
        {
            case SIOCSIFADDR or SIOCSIFNETMASK or SIOCSIFBRDADDR:
                return SetAddress(link, request, label, value);
            case SIOCSIFFLAGS:
                LinkChanger.SetFlags(link, (InterfaceFlags.Of(link) & ~ushort.MaxValue) | BinaryPrimitives.ReadUInt16LittleEndian(value));
                errno = Errno.None;
                break;
            case SIOCSIFMTU:
                errno = LinkChanger.SetMtu(link, number < 0 ? uint.MaxValue : (uint)number);
                break;
            case SIOCSIFNAME:
                errno = LinkChanger.Rename(link, InetIoctl.ReadName(value[..NameLength]));
                break;
            case SIOCSIFHWADDR:
                errno = BinaryPrimitives.ReadUInt16LittleEndian(value) != InterfaceFlags.HardwareTypeOf(link) ? Errno.EINVAL : LinkChanger.SetAddress(link, EthernetAddress.FromBytes(value[2..]));
                break;
            default:
                errno = number < 0 ? Errno.EINVAL : Errno.None;
                link.QueueLength = errno == Errno.None ? (uint)number : link.QueueLength;
                break;
        }

        if (errno == Errno.None)
        {
            link.Stack.Observer?.OnLink(link);
        }

        return errno;
    }

    // The first address of IPv4 is the one these are about: another one takes its place.
    private static Errno SetAddress(NetworkInterface link, uint request, string label, ReadOnlySpan<byte> value)
    {
        if ((AddressFamily)BinaryPrimitives.ReadUInt16LittleEndian(value) != AddressFamily.AF_INET)
        {
            return Errno.EINVAL;
        }

        IpAddress given = IpAddress.FromBytes(value[4..8]);
        InterfaceAddress? before = InetIoctl.FirstV4(link, label);
        if (before is null && request != SIOCSIFADDR)
        {
            return Errno.EADDRNOTAVAIL;
        }

        InterfaceAddress after;
        switch (request)
        {
            case SIOCSIFADDR:
                if (given.IsMulticast || given == IpAddress.BroadcastV4)
                {
                    return Errno.EINVAL;
                }

                int prefix = link.HasEthernet || link.IsLoopback ? ClassOf(given) : given.Bits; // a link between two has no network
                after = new InterfaceAddress(given, prefix, link.HasEthernet && prefix < 31 ? BroadcastOf(given, prefix) : null) { Label = label };
                break;
            case SIOCSIFNETMASK:
                uint inverse = ~given.V4;
                if ((inverse & (inverse + 1)) != 0)
                {
                    return Errno.EINVAL; // not ones and then zeros
                }

                int length = System.Numerics.BitOperations.PopCount(given.V4);
                bool isUsual = before!.Broadcast is { } broadcast && broadcast == BroadcastOf(before.Address, before.PrefixLength);
                after = before with { PrefixLength = length, Broadcast = isUsual && length < 31 ? BroadcastOf(before.Address, length) : before.Broadcast };
                break;
            default:
                after = before! with { Broadcast = given };
                break;
        }

        NetworkStack stack = link.Stack;
        if (before is not null)
        {
            _ = stack.RemoveAddress(link, before.Address, before.PrefixLength);
            stack.Observer?.OnAddress(link, before, isGone: true);
        }

        if (given.IsAny && request == SIOCSIFADDR)
        {
            return Errno.None; // nothing takes its place
        }

        Errno errno = stack.AddAddress(link, after).ToErrno();
        if (errno == Errno.None)
        {
            stack.Observer?.OnAddress(link, after, isGone: false);
        }

        return errno;
    }

    // The network that an address is in by its class (RFC 791 section 3.2), which this call has no other word for.
    private static int ClassOf(IpAddress address) => (address.V4 >> 24) switch { < 128 => 8, < 192 => 16, < 224 => 24, _ => 32 };

    private static IpAddress BroadcastOf(IpAddress address, int prefix) => IpAddress.FromV4(address.V4 | (uint)(uint.MaxValue / (1UL << prefix)));
}
