using System.Buffers.Binary;
using System.Text;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Linux;
using Moat.Netstack;
using Moat.Netstack.Interfaces;
using Moat.Netstack.Wire;

namespace Moat.Sockets.Inet;

/// <summary>The ioctls of internet sockets: bytes waiting, and what netdevice(7) has to read interfaces with.</summary>
public static class InetIoctl
{
    private const uint BytesReady = 0x541b; // FIONREAD, SIOCINQ
    private const uint BytesSent = 0x5411; // TIOCOUTQ, SIOCOUTQ
    private const uint SIOCGIFNAME = 0x8910;
    private const uint SIOCGIFCONF = 0x8912;
    private const uint SIOCGIFFLAGS = 0x8913;
    private const uint SIOCGIFADDR = 0x8915;
    private const uint SIOCGIFBRDADDR = 0x8919;
    private const uint SIOCGIFNETMASK = 0x891b;
    private const uint SIOCGIFMETRIC = 0x891d;
    private const uint SIOCGIFMTU = 0x8921;
    private const uint SIOCGIFHWADDR = 0x8927;
    private const uint SIOCGIFINDEX = 0x8933;
    private const uint SIOCGIFTXQLEN = 0x8942;
    private const uint SIOCBRADDBR = 0x89a0;
    private const uint SIOCBRDELBR = 0x89a1;
    private const uint SIOCBRADDIF = 0x89a2;
    private const uint SIOCBRDELIF = 0x89a3;
    private const uint SIOCETHTOOL = 0x8946;
    private const int RequestLength = 40; // struct ifreq
    private const int NameLength = 16;

    /// <summary>Carries out a request.</summary>
    /// <param name="task">The caller.</param>
    /// <param name="network">The network whose interfaces it is about.</param>
    /// <param name="request">Which.</param>
    /// <param name="argument">Its argument.</param>
    /// <param name="available">Bytes that can be read; null for a listener.</param>
    /// <param name="unsent">Bytes that are on their way.</param>
    public static SyscallResult Handle(GuestTask task, SocketNetwork network, uint request, ulong argument, int? available, int unsent)
    {
        GuestAddress address = new(argument);
        return request switch
        {
            BytesReady => available is { } count ? task.Memory.Write(address, count) : Errno.EINVAL,
            BytesSent => available is not null ? task.Memory.Write(address, unsent) : Errno.EINVAL,
            _ => HandleInterface(task, network, request, argument),
        };
    }

    /// <summary>Carries out a request of netdevice(7), which a socket of any family takes.</summary>
    /// <param name="task">The caller.</param>
    /// <param name="network">The network whose interfaces it is about.</param>
    /// <param name="request">Which.</param>
    /// <param name="argument">Its argument.</param>
    /// <returns>ENOTTY if it is none.</returns>
    public static SyscallResult HandleInterface(GuestTask task, SocketNetwork network, uint request, ulong argument)
    {
        GuestAddress address = new(argument);
        return request switch
        {
            SIOCGIFCONF => ListInterfaces(task, network.Stack, address),
            SIOCGIFNAME or SIOCGIFFLAGS or SIOCGIFADDR or SIOCGIFBRDADDR or SIOCGIFNETMASK or SIOCGIFMETRIC or SIOCGIFMTU or SIOCGIFHWADDR or SIOCGIFINDEX or SIOCGIFTXQLEN or SIOCETHTOOL =>
                ReadInterface(task, network, request, address),
            RouteIoctl.SIOCADDRT or RouteIoctl.SIOCDELRT => RouteIoctl.Handle(task, network, request, address),
            SIOCBRADDBR or SIOCBRDELBR or SIOCBRADDIF or SIOCBRDELIF => Errno.ENOPKG, // as of a Linux whose bridges are made through rtnetlink alone
            _ when InterfaceIoctl.Handles(request) => InterfaceIoctl.Handle(task, network, request, address),
            _ => Errno.ENOTTY,
        };
    }

    private static Errno ReadInterface(GuestTask task, SocketNetwork network, uint request, GuestAddress address)
    {
        NetworkStack stack = network.Stack;
        Span<byte> ifreq = stackalloc byte[RequestLength];
        Errno errno = task.Memory.CopyIn(address, ifreq);
        if (errno != Errno.None)
        {
            return errno;
        }

        Span<byte> value = ifreq[NameLength..];
        NetworkInterface? found = request == SIOCGIFNAME ? stack.FindInterface(BinaryPrimitives.ReadInt32LittleEndian(value)) : stack.FindInterface(ReadName(ifreq[..NameLength]));
        if (found is null)
        {
            return Errno.ENODEV;
        }

        switch (request)
        {
            case SIOCETHTOOL:
                return Errno.EOPNOTSUPP; // no interface here has anything to tell, as loopback in Linux for most of it
            case SIOCGIFNAME:
                WriteName(found.Name, ifreq[..NameLength]);
                break;
            case SIOCGIFFLAGS:
                value.Clear();
                BinaryPrimitives.WriteInt16LittleEndian(value, (short)InterfaceFlags.Of(found));
                break;
            case SIOCGIFMETRIC:
                BinaryPrimitives.WriteInt32LittleEndian(value, 0);
                break;
            case SIOCGIFMTU:
                BinaryPrimitives.WriteInt32LittleEndian(value, found.Mtu);
                break;
            case SIOCGIFINDEX:
                BinaryPrimitives.WriteInt32LittleEndian(value, found.Index);
                break;
            case SIOCGIFTXQLEN:
                BinaryPrimitives.WriteInt32LittleEndian(value, (int)found.QueueLength);
                break;
            case SIOCGIFHWADDR:
                value.Clear();
                BinaryPrimitives.WriteInt16LittleEndian(value, (short)InterfaceFlags.HardwareTypeOf(found));
                found.Link.Address.WriteTo(value[2..]);
                break;
            default:
                if (FirstV4(found) is not { } own)
                {
                    return Errno.EADDRNOTAVAIL;
                }

                IpAddress answer = request switch
                {
                    SIOCGIFADDR => own.Address,
                    SIOCGIFNETMASK => IpAddress.FromV4(own.PrefixLength == 0 ? 0 : uint.MaxValue << (32 - own.PrefixLength)),
                    _ => own.Broadcast ?? IpAddress.AnyV4,
                };
                value.Clear();
                InetAddress.Format(new IpEndpoint(answer, 0), isV6: false).CopyTo(value);
                break;
        }

        return task.Memory.CopyOut(address, ifreq);
    }

    // struct ifconf: a length and a pointer; a null pointer asks for the length.
    private static Errno ListInterfaces(GuestTask task, NetworkStack stack, GuestAddress address)
    {
        const int PointerOffset = 8;
        Errno errno = task.Memory.Read(new GuestAddress(address.Value + PointerOffset), out ulong list);
        if (errno != Errno.None)
        {
            return errno;
        }

        errno = task.Memory.Read(address, out int room);
        if (errno != Errno.None)
        {
            return errno;
        }

        int length = 0;
        Span<byte> ifreq = stackalloc byte[RequestLength];
        foreach (NetworkInterface candidate in stack.Interfaces)
        {
            if (FirstV4(candidate) is not { } own)
            {
                continue;
            }

            if (list != 0)
            {
                if (length + RequestLength > room)
                {
                    break;
                }

                ifreq.Clear();
                WriteName(candidate.Name, ifreq[..NameLength]);
                InetAddress.Format(new IpEndpoint(own.Address, 0), isV6: false).CopyTo(ifreq[NameLength..]);
                errno = task.Memory.CopyOut(new GuestAddress(list + (ulong)length), ifreq);
                if (errno != Errno.None)
                {
                    return errno;
                }
            }

            length += RequestLength;
        }

        return task.Memory.Write(address, length);
    }

    /// <summary>The first address of IPv4, or the first with a label; null if there is none.</summary>
    internal static InterfaceAddress? FirstV4(NetworkInterface owner, string? label = null)
    {
        foreach (InterfaceAddress address in owner.Addresses)
        {
            if (address.Address.IsV4 && (label is null || label == (address.Label ?? owner.Name)))
            {
                return address;
            }
        }

        return null;
    }

    /// <summary>The name in a request.</summary>
    internal static string ReadName(ReadOnlySpan<byte> name)
    {
        int end = name.IndexOf((byte)0);
        return Encoding.ASCII.GetString(end >= 0 ? name[..end] : name[..(NameLength - 1)]);
    }

    private static void WriteName(string name, Span<byte> destination)
    {
        destination.Clear();
        _ = Encoding.ASCII.GetBytes(name, destination);
    }
}
