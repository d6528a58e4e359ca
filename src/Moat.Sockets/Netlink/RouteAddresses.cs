using System.Buffers.Binary;
using Moat.Linux;
using Moat.Netstack;
using Moat.Netstack.Interfaces;
using Moat.Netstack.Wire;
using Moat.Sockets.Inet;

namespace Moat.Sockets.Netlink;

/// <summary>RTM_*ADDR: <c>struct ifaddrmsg</c> and IFA_* attributes.</summary>
internal sealed class RouteAddresses(RouteProtocol route)
{
    private const int HeaderLength = 8;
    private const ushort IFA_ADDRESS = 1;
    private const ushort IFA_LOCAL = 2;
    private const ushort IFA_LABEL = 3;
    private const ushort IFA_BROADCAST = 4;
    private const ushort IFA_CACHEINFO = 6;
    private const ushort IFA_FLAGS = 8;
    private const byte RT_SCOPE_LINK = 253;
    private const byte RT_SCOPE_HOST = 254;

    /// <summary>All addresses of a family; with strict checking those of one interface.</summary>
    public Errno Dump(in NetlinkRequest request, NetlinkWriter answer)
    {
        int only = 0;
        if (request.IsStrict)
        {
            if (request.Payload.Length < HeaderLength)
            {
                return Errno.EINVAL;
            }

            only = BinaryPrimitives.ReadInt32LittleEndian(request.Payload[4..]);
            if (only != 0 && route.Stack.FindInterface(only) is null)
            {
                return Errno.ENODEV;
            }
        }

        // As in Linux a dump of all families goes family by family.
        foreach (byte family in (ReadOnlySpan<byte>)[(byte)AddressFamily.AF_INET, (byte)AddressFamily.AF_INET6])
        {
            foreach (NetworkInterface owner in route.Stack.Interfaces)
            {
                foreach (InterfaceAddress address in owner.Addresses)
                {
                    if (RouteProtocol.FamilyOf(address.Address) == family && RouteProtocol.Asks(request.Payload[0], address.Address) && (only == 0 || only == owner.Index))
                    {
                        Write(answer, owner, address, RouteMessageType.RTM_NEWADDR, NetlinkFlags.NLM_F_MULTI);
                    }
                }
            }
        }

        return Errno.None;
    }

    /// <summary>Adds an address.</summary>
    public Errno Add(in NetlinkRequest request, NetlinkWriter answer)
    {
        Errno errno = Parse(request, out NetworkInterface? owner, out IpAddress? local, out int prefix);
        if (errno != Errno.None)
        {
            return errno;
        }

        if (local is not { } address)
        {
            return Errno.EINVAL;
        }

        if (!address.IsV4 && owner!.DisablesV6)
        {
            return Errno.EACCES;
        }

        NetlinkAttributes attributes = request.AttributesAfter(HeaderLength);
        errno = attributes.Read(IFA_BROADCAST, FamilyIn(request), out IpAddress? broadcast);
        if (errno != Errno.None)
        {
            return errno;
        }

        errno = attributes.Read(IFA_FLAGS, out uint? flags);
        if (errno != Errno.None)
        {
            return errno;
        }

        InterfaceAddress added = new(address, prefix, broadcast) { Flags = (flags ?? request.Payload[2]) & AddressFlags.NoDetection, Label = attributes.ReadText(IFA_LABEL) };
        NetError error = route.Stack.AddAddress(owner!, added);
        if (error == NetError.Exists)
        {
            return request.HasAny(NetlinkFlags.NLM_F_REPLACE) && !request.HasAny(NetlinkFlags.NLM_F_EXCL) ? Errno.None : Errno.EEXIST;
        }

        if (error == NetError.None)
        {
            Notify(request, answer, owner!, owner!.FindAddress(address) ?? added, RouteMessageType.RTM_NEWADDR);
        }

        return error.ToErrno();
    }

    /// <summary>Takes an address away: the first one that the request describes.</summary>
    public Errno Remove(in NetlinkRequest request, NetlinkWriter answer)
    {
        Errno errno = Parse(request, out NetworkInterface? owner, out IpAddress? local, out int prefix);
        if (errno != Errno.None)
        {
            return errno;
        }

        foreach (InterfaceAddress candidate in owner!.Addresses)
        {
            if (RouteProtocol.FamilyOf(candidate.Address) != request.Payload[0] || (local is { } wanted && (candidate.Address != wanted || candidate.PrefixLength != prefix)))
            {
                continue;
            }

            if (route.Stack.RemoveAddress(owner, candidate.Address, candidate.PrefixLength) == NetError.None)
            {
                Notify(request, answer, owner, candidate, RouteMessageType.RTM_DELADDR);
                return Errno.None;
            }
        }

        return Errno.EADDRNOTAVAIL;
    }

    private static AddressFamily FamilyIn(in NetlinkRequest request) => (AddressFamily)request.Payload[0];

    private Errno Parse(in NetlinkRequest request, out NetworkInterface? owner, out IpAddress? local, out int prefix)
    {
        owner = null;
        local = null;
        prefix = 0;
        if (FamilyIn(request) is not (AddressFamily.AF_INET or AddressFamily.AF_INET6))
        {
            return Errno.EOPNOTSUPP;
        }

        if (request.Payload.Length < HeaderLength)
        {
            return Errno.EINVAL;
        }

        NetlinkAttributes attributes = request.AttributesAfter(HeaderLength);
        Errno errno = attributes.Read(IFA_LOCAL, FamilyIn(request), out local);
        if (errno == Errno.None && local is null)
        {
            errno = attributes.Read(IFA_ADDRESS, FamilyIn(request), out local);
        }

        prefix = request.Payload[1];
        if (errno == Errno.None && prefix > (FamilyIn(request) == AddressFamily.AF_INET ? 32 : 128))
        {
            errno = Errno.EINVAL;
        }

        if (errno != Errno.None)
        {
            return errno;
        }

        owner = route.Stack.FindInterface(BinaryPrimitives.ReadInt32LittleEndian(request.Payload[4..]));
        return owner is null ? Errno.ENODEV : Errno.None;
    }

    private void Notify(in NetlinkRequest request, NetlinkWriter answer, NetworkInterface owner, InterfaceAddress address, RouteMessageType type) => route.Notify(
        GroupOf(address),
        request,
        answer,
        static (writer, change) => Write(writer, change.Owner, change.Address, change.Type, NetlinkFlags.None),
        (Owner: owner, Address: address, Type: type));

    /// <summary>Who is told of an address.</summary>
    internal static RouteGroup GroupOf(InterfaceAddress address) => address.Address.IsV4 ? RouteGroup.RTNLGRP_IPV4_IFADDR : RouteGroup.RTNLGRP_IPV6_IFADDR;

    /// <summary>Writes what is told of an address.</summary>
    internal static void Write(NetlinkWriter writer, NetworkInterface owner, InterfaceAddress address, RouteMessageType type, NetlinkFlags flags)
    {
        const int CacheInfoLength = 16;
        IpAddress own = address.Address;
        uint addressFlags = address.Flags | (address.ValidUntilNs == long.MaxValue ? AddressFlags.Permanent : 0);
        Span<byte> header = stackalloc byte[HeaderLength];
        header[0] = RouteProtocol.FamilyOf(own);
        header[1] = (byte)address.PrefixLength;
        header[2] = (byte)addressFlags;
        header[3] = own.IsLoopback ? RT_SCOPE_HOST : own.IsLinkLocal && !own.IsV4 ? RT_SCOPE_LINK : (byte)0;
        BinaryPrimitives.WriteInt32LittleEndian(header[4..], owner.Index);
        writer.Begin((ushort)type, flags, header);
        writer.Put(IFA_ADDRESS, own);
        if (own.IsV4)
        {
            writer.Put(IFA_LOCAL, own);
            if (address.Broadcast is { } broadcast)
            {
                writer.Put(IFA_BROADCAST, broadcast);
            }

            writer.Put(IFA_LABEL, address.Label ?? owner.Name);
        }

        // struct ifa_cacheinfo: for how many seconds it is preferred and valid; all ones for ever.
        Span<byte> cache = stackalloc byte[CacheInfoLength];
        cache.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(cache, SecondsUntil(address.PreferredUntilNs, owner.Host.NowNs));
        BinaryPrimitives.WriteUInt32LittleEndian(cache[4..], SecondsUntil(address.ValidUntilNs, owner.Host.NowNs));
        writer.Put(IFA_CACHEINFO, cache);
        writer.Put(IFA_FLAGS, addressFlags);
        writer.End();
    }

    private static uint SecondsUntil(long untilNs, long nowNs) => untilNs == long.MaxValue ? uint.MaxValue : (uint)Math.Clamp((untilNs - nowNs) / 1_000_000_000, 0, uint.MaxValue - 1);
}
