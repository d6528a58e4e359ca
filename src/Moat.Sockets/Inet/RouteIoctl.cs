using System.Buffers.Binary;
using Moat.Kernel.Credentials;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Linux;
using Moat.Netstack;
using Moat.Netstack.Interfaces;
using Moat.Netstack.Routing;
using Moat.Netstack.Wire;

namespace Moat.Sockets.Inet;

/// <summary>SIOCADDRT and SIOCDELRT: <c>struct rtentry</c>, with which route(8) changes the routes of IPv4.</summary>
internal static class RouteIoctl
{
    /// <summary>Adds a route.</summary>
    public const uint SIOCADDRT = 0x890b;

    /// <summary>Removes one.</summary>
    public const uint SIOCDELRT = 0x890c;

    private const int Length = 120; // struct rtentry
    private const int RTF_UP = 1;
    private const int RTF_GATEWAY = 2;
    private const int RTF_HOST = 4;
    private const int RTF_REJECT = 0x200;
    private const byte RTPROT_BOOT = 3;
    private const byte RT_SCOPE_LINK = 253;

    /// <summary>Carries out a request.</summary>
    /// <returns>EPERM without CAP_NET_ADMIN; EINVAL, ENODEV, ENETUNREACH, EEXIST; ESRCH if there is no such route.</returns>
    public static Errno Handle(GuestTask task, SocketNetwork network, uint request, GuestAddress address)
    {
        if (!task.Credentials.HasCapability(Capability.CAP_NET_ADMIN))
        {
            return Errno.EPERM;
        }

        Span<byte> entry = stackalloc byte[Length];
        Errno errno = task.Memory.CopyIn(address, entry);
        if (errno != Errno.None)
        {
            return errno;
        }

        errno = Parse(task, network.Stack, entry, out Route? route);
        if (errno != Errno.None)
        {
            return errno;
        }

        return request == SIOCADDRT ? network.Stack.Routes.Add(route!).ToErrno() : Remove(network.Stack, route!);
    }

    private static Errno Remove(NetworkStack stack, Route wanted)
    {
        foreach (Route candidate in stack.Routes.List)
        {
            bool isPlace = candidate.Destination == wanted.Destination && candidate.PrefixLength == wanted.PrefixLength && candidate.Table == wanted.Table;
            if (isPlace && (wanted.InterfaceIndex == 0 || candidate.InterfaceIndex == wanted.InterfaceIndex) && (wanted.Gateway is null || candidate.Gateway == wanted.Gateway)
                && (wanted.Metric == 0 || candidate.Metric == wanted.Metric))
            {
                return stack.Routes.Remove(candidate) == NetError.None ? Errno.None : Errno.ESRCH;
            }
        }

        return Errno.ESRCH;
    }

    private static Errno Parse(GuestTask task, NetworkStack stack, ReadOnlySpan<byte> entry, out Route? route)
    {
        route = null;
        int flags = BinaryPrimitives.ReadUInt16LittleEndian(entry[56..]);
        ulong device = BinaryPrimitives.ReadUInt64LittleEndian(entry[88..]);
        ulong mtu = BinaryPrimitives.ReadUInt64LittleEndian(entry[96..]);
        int metric = BinaryPrimitives.ReadInt16LittleEndian(entry[80..]);
        if (FamilyAt(entry, 8) != AddressFamily.AF_INET || (flags & RTF_UP) == 0)
        {
            return FamilyAt(entry, 8) != AddressFamily.AF_INET ? Errno.EAFNOSUPPORT : Errno.EINVAL;
        }

        uint destination = AddressAt(entry, 8);
        uint mask = (flags & RTF_HOST) != 0 ? uint.MaxValue : AddressAt(entry, 40);
        if ((~mask & (~mask + 1)) != 0 || (destination & ~mask) != 0)
        {
            return Errno.EINVAL;
        }

        int link = 0;
        if (device != 0)
        {
            Errno errno = FindDevice(task, stack, new GuestAddress(device), out link);
            if (errno != Errno.None)
            {
                return errno;
            }
        }

        IpAddress? gateway = null;
        if ((flags & RTF_GATEWAY) != 0)
        {
            gateway = IpAddress.FromV4(AddressAt(entry, 24));
            if (gateway.Value.IsAny || stack.Routes.Find(gateway.Value, link) is not { Gateway: null } way || way.Kind == RouteKind.Local)
            {
                return gateway.Value.IsAny ? Errno.EINVAL : Errno.ENETUNREACH;
            }

            link = way.InterfaceIndex;
        }

        bool isRefused = (flags & RTF_REJECT) != 0;
        if (link == 0 && !isRefused)
        {
            return Errno.ENODEV;
        }

        route = new Route(IpAddress.FromV4(destination), System.Numerics.BitOperations.PopCount(mask), link)
        {
            Gateway = gateway,
            Metric = metric > 0 ? (uint)metric - 1 : 0,
            Kind = isRefused ? RouteKind.Unreachable : RouteKind.Unicast,
            Protocol = RTPROT_BOOT,
            Scope = gateway is null && !isRefused ? RT_SCOPE_LINK : (byte)0,
            Mtu = (int)Math.Min(mtu, ushort.MaxValue),
        };
        return Errno.None;
    }

    private static Errno FindDevice(GuestTask task, NetworkStack stack, GuestAddress address, out int index)
    {
        const int NameLength = 16;
        Span<byte> name = stackalloc byte[NameLength];
        name.Clear();
        index = 0;
        for (int i = 0; i < NameLength - 1; i++)
        {
            Errno errno = task.Memory.Read(new GuestAddress(address.Value + (ulong)i), out byte letter);
            if (errno != Errno.None)
            {
                return errno;
            }

            if (letter == 0)
            {
                break;
            }

            name[i] = letter;
        }

        if (stack.FindInterface(InetIoctl.ReadName(name)) is not { } found)
        {
            return Errno.ENODEV;
        }

        index = found.Index;
        return found.IsUp ? Errno.None : Errno.ENETDOWN;
    }

    private static AddressFamily FamilyAt(ReadOnlySpan<byte> entry, int offset) => (AddressFamily)BinaryPrimitives.ReadUInt16LittleEndian(entry[offset..]);

    private static uint AddressAt(ReadOnlySpan<byte> entry, int offset) => BinaryPrimitives.ReadUInt32BigEndian(entry[(offset + 4)..]);
}
