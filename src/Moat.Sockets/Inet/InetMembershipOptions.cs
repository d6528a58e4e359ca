using System.Buffers.Binary;
using Moat.Linux;
using Moat.Netstack;
using Moat.Netstack.Multicast;
using Moat.Netstack.Routing;
using Moat.Netstack.Wire;

namespace Moat.Sockets.Inet;

/// <summary>The options that join and leave groups (ip(7), ipv6(7), RFC 3678).</summary>
internal static class InetMembershipOptions
{
    /// <summary>Bytes of <c>struct ip_mreq</c>: group, address of the interface.</summary>
    public const int MreqLength = 8;

    /// <summary>Bytes of <c>struct ip_mreqn</c>: group, address, number of the interface.</summary>
    public const int MreqnLength = 12;

    private const int MreqSourceLength = 12; // struct ip_mreq_source: group, interface, source
    private const int Ipv6MreqLength = 20; // struct ipv6_mreq: group, number of the interface
    private const int StorageLength = 128; // struct sockaddr_storage
    private const int GroupOffset = 8; // in struct group_req, behind the number of the interface and padding
    private const int GroupRequestLength = GroupOffset + StorageLength;
    private const int GroupSourceRequestLength = GroupRequestLength + StorageLength;

    /// <summary>Whether an option at the level of IP is one of them.</summary>
    public static bool IsOne(int option) => option is (>= IpOption.IP_ADD_MEMBERSHIP and <= IpOption.IP_DROP_SOURCE_MEMBERSHIP) || IsOfBothVersions(option);

    /// <summary>Whether it is one that takes addresses of either version.</summary>
    public static bool IsOfBothVersions(int option) => option is >= IpOption.MCAST_JOIN_GROUP and <= IpOption.MCAST_LEAVE_SOURCE_GROUP;

    /// <summary>The interface that has an address, or 0.</summary>
    public static int FindInterface(NetworkStack stack, IpAddress address) => stack.Routes.Find(address, 0) is { Kind: RouteKind.Local } route ? route.InterfaceIndex : 0;

    /// <summary>setsockopt(2) at the level of IP.</summary>
    public static Errno SetV4(IInetSocket socket, int option, ReadOnlySpan<byte> value)
    {
        if (IsOfBothVersions(option))
        {
            return SetByStorage(socket, option, value, AddressFamily.AF_INET);
        }

        bool isPlain = option is IpOption.IP_ADD_MEMBERSHIP or IpOption.IP_DROP_MEMBERSHIP;
        if (socket.Groups is not { } groups)
        {
            return isPlain ? Errno.EPROTO : Errno.EINVAL;
        }

        if (isPlain ? value.Length < MreqLength : value.Length != MreqSourceLength)
        {
            return Errno.EINVAL;
        }

        IpAddress group = IpAddress.FromBytes(value[..4]);
        IpAddress address = IpAddress.FromBytes(value.Slice(4, 4));
        int index = isPlain && value.Length >= MreqnLength ? BinaryPrimitives.ReadInt32LittleEndian(value[MreqLength..]) : 0;
        if (!group.IsMulticast)
        {
            return Errno.EINVAL;
        }

        if (index == 0 && !address.IsAny)
        {
            index = FindInterface(socket.Stack, address);
            if (index == 0)
            {
                return Errno.ENODEV;
            }
        }

        IpAddress source = isPlain ? default : IpAddress.FromBytes(value.Slice(8, 4));
        return (option switch
        {
            IpOption.IP_ADD_MEMBERSHIP => groups.Join(group, index),
            IpOption.IP_DROP_MEMBERSHIP => groups.Leave(group, index),
            IpOption.IP_ADD_SOURCE_MEMBERSHIP => groups.JoinSource(group, source, index),
            IpOption.IP_DROP_SOURCE_MEMBERSHIP => groups.LeaveSource(group, source, index),
            _ => groups.Block(group, source, index, blocks: option == IpOption.IP_BLOCK_SOURCE),
        }).ToErrno();
    }

    /// <summary>setsockopt(2) at the level of IPv6.</summary>
    public static Errno SetV6(IInetSocket socket, int option, ReadOnlySpan<byte> value)
    {
        if (IsOfBothVersions(option))
        {
            return SetByStorage(socket, option, value, AddressFamily.AF_INET6);
        }

        if (value.Length < Ipv6MreqLength)
        {
            return Errno.EINVAL;
        }

        if (socket.Groups is not { } groups)
        {
            return Errno.EPROTO;
        }

        IpAddress group = IpAddress.FromBytes(value[..16]);
        int index = BinaryPrimitives.ReadInt32LittleEndian(value[16..]);
        if (group.IsV4)
        {
            return Errno.EINVAL;
        }

        return (option == IpOption.IPV6_JOIN_GROUP ? groups.Join(group, index) : groups.Leave(group, index)).ToErrno();
    }

    // struct group_req and group_source_req: the number of an interface, and addresses as sockaddr_storage.
    private static Errno SetByStorage(IInetSocket socket, int option, ReadOnlySpan<byte> value, AddressFamily family)
    {
        bool hasSource = option is not (IpOption.MCAST_JOIN_GROUP or IpOption.MCAST_LEAVE_GROUP);
        if (hasSource ? value.Length != GroupSourceRequestLength : value.Length < GroupRequestLength)
        {
            return Errno.EINVAL;
        }

        if (socket.Groups is not { } groups)
        {
            return hasSource ? Errno.EINVAL : Errno.EPROTO;
        }

        int index = BinaryPrimitives.ReadInt32LittleEndian(value);
        Errno refused = hasSource ? Errno.EADDRNOTAVAIL : family == AddressFamily.AF_INET6 ? Errno.EADDRNOTAVAIL : Errno.EINVAL;
        if (!TryReadStorage(value[GroupOffset..], family, out IpAddress group))
        {
            return refused;
        }

        IpAddress source = default;
        if (hasSource && !TryReadStorage(value[GroupRequestLength..], family, out source))
        {
            return refused;
        }

        return (option switch
        {
            IpOption.MCAST_JOIN_GROUP => groups.Join(group, index),
            IpOption.MCAST_LEAVE_GROUP => groups.Leave(group, index),
            IpOption.MCAST_JOIN_SOURCE_GROUP => groups.JoinSource(group, source, index),
            IpOption.MCAST_LEAVE_SOURCE_GROUP => groups.LeaveSource(group, source, index),
            _ => groups.Block(group, source, index, blocks: option == IpOption.MCAST_BLOCK_SOURCE),
        }).ToErrno();
    }

    private static bool TryReadStorage(ReadOnlySpan<byte> storage, AddressFamily family, out IpAddress address)
    {
        bool isV6 = family == AddressFamily.AF_INET6;
        address = IpAddress.FromBytes(isV6 ? storage.Slice(8, 16) : storage.Slice(4, 4));
        return InetAddress.FamilyOf(storage) == family;
    }
}
