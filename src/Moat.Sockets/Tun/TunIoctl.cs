using System.Buffers.Binary;
using System.Text;
using Moat.Kernel.Credentials;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Linux;
using Moat.Netstack.Interfaces;
using Moat.Netstack.Link;
using Moat.Netstack.Wire;
using Moat.Sockets.Inet;
using Moat.Sockets.Netlink;

namespace Moat.Sockets.Tun;

/// <summary>The ioctls of /dev/net/tun (<c>linux/if_tun.h</c>). Several queues, virtio headers and filters are not among what TUNGETFEATURES says.</summary>
internal static class TunIoctl
{
    private const uint TUNSETNOCSUM = 0x400454c8;
    private const uint TUNSETIFF = 0x400454ca;
    private const uint TUNSETPERSIST = 0x400454cb;
    private const uint TUNSETOWNER = 0x400454cc;
    private const uint TUNSETGROUP = 0x400454ce;
    private const uint TUNGETFEATURES = 0x800454cf;
    private const uint TUNSETOFFLOAD = 0x400454d0;
    private const uint TUNGETIFF = 0x800454d2;
    private const uint SIOCGIFHWADDR = 0x8927;
    private const uint SIOCSIFHWADDR = 0x8924;
    private const int IFF_TUN = 1;
    private const int IFF_TAP = 2;
    private const int IFF_NO_PI = 0x1000;
    private const int IFF_ONE_QUEUE = 0x2000; // what it asked for is always so
    private const int IFF_TUN_EXCL = 0x8000;
    private const int IFF_PERSIST = 0x800;
    private const int Offered = IFF_TUN | IFF_TAP | IFF_NO_PI | IFF_ONE_QUEUE;
    private const int Refused = 0x4000 | 0x100 | 0x10 | 0x20; // IFF_VNET_HDR, IFF_MULTI_QUEUE, IFF_NAPI, IFF_NAPI_FRAGS
    private const int NameLength = 16;
    private const int RequestLength = 40; // struct ifreq

    /// <summary>Carries out a request.</summary>
    /// <returns>EBADFD for what wants an interface before there is one.</returns>
    public static Errno Handle(GuestTask task, TunDescription file, uint request, GuestAddress address)
    {
        switch (request)
        {
            case TUNGETFEATURES:
                return task.Memory.Write(address, Offered);
            case TUNSETIFF:
                return SetInterface(task, file, address);
        }

        lock (file.Network.LinkLock)
        {
            if (file.Link is not { Interface: { } owner } link)
            {
                return Errno.EBADFD;
            }

            switch (request)
            {
                case TUNGETIFF or SIOCGIFHWADDR:
                    return Tell(task, file, link, owner, request, address);
                case TUNSETNOCSUM:
                    return Errno.None; // nothing since Linux 2.6.27
                case TUNSETPERSIST:
                    link.IsPersistent = address.Value != 0;
                    return Errno.None;
                case TUNSETOWNER:
                    link.OwnerUid = (uint)address.Value;
                    return Errno.None;
                case TUNSETGROUP:
                    link.OwnerGid = (uint)address.Value;
                    return Errno.None;
                case TUNSETOFFLOAD:
                    return address.Value == 0 ? Errno.None : Errno.EINVAL;
                case SIOCSIFHWADDR:
                    return SetAddress(task, owner, address);
                default:
                    return Errno.EINVAL;
            }
        }
    }

    private static Errno SetInterface(GuestTask task, TunDescription file, GuestAddress address)
    {
        Span<byte> request = stackalloc byte[RequestLength];
        Errno errno = task.Memory.CopyIn(address, request);
        if (errno != Errno.None)
        {
            return errno;
        }

        string name = InetIoctl.ReadName(request[..NameLength]);
        int flags = BinaryPrimitives.ReadUInt16LittleEndian(request[NameLength..]);
        lock (file.Network.LinkLock)
        {
            if (file.Link is not null)
            {
                return Errno.EEXIST;
            }

            errno = file.Network.Stack.FindInterface(name) is { } there ? Take(task, file, there, flags) : Make(task, file, name, flags);
            if (errno != Errno.None)
            {
                return errno;
            }

            request[..NameLength].Clear();
            _ = Encoding.ASCII.GetBytes(file.Link!.Interface!.Name, request[..NameLength]);
        }

        return task.Memory.CopyOut(address, request);
    }

    private static Errno Take(GuestTask task, TunDescription file, NetworkInterface there, int flags)
    {
        if ((flags & IFF_TUN_EXCL) != 0)
        {
            return Errno.EBUSY;
        }

        if (there.Link is not TunLink link || (flags & Refused) != 0 || (flags & (IFF_TUN | IFF_TAP)) != (link.IsTap ? IFF_TAP : IFF_TUN))
        {
            return Errno.EINVAL;
        }

        TaskCredentials who = task.Credentials;
        bool isStranger = (link.OwnerUid is { } uid && uid != who.EffectiveUid) || (link.OwnerGid is { } gid && !who.IsInGroup(gid));
        if (isStranger && !who.HasCapability(Capability.CAP_NET_ADMIN))
        {
            return Errno.EPERM;
        }

        if (!link.TryTake(file))
        {
            return Errno.EBUSY;
        }

        file.Attach(link, (flags & IFF_NO_PI) == 0);
        there.Stack.Observer?.OnLink(there);
        return Errno.None;
    }

    private static Errno Make(GuestTask task, TunDescription file, string wanted, int flags)
    {
        if (!task.Credentials.HasCapability(Capability.CAP_NET_ADMIN))
        {
            return Errno.EPERM;
        }

        bool isTap = (flags & IFF_TUN) == 0;
        if ((flags & (IFF_TUN | IFF_TAP)) == 0 || (flags & Refused) != 0)
        {
            return Errno.EINVAL;
        }

        string pattern = wanted.Length > 0 ? wanted : isTap ? "tap%d" : "tun%d";
        if (!LinkNames.Complete(file.Network.Stack, pattern).TryGet(out string? name, out Errno errno))
        {
            return errno;
        }

        TunLink link = new(isTap, isTap ? VirtualLink.RandomAddress(file.Network.Stack.Host) : default);
        errno = file.Network.Stack.AddInterface(name, link, out NetworkInterface? added).ToErrno();
        if (errno != Errno.None)
        {
            return errno;
        }

        _ = link.TryTake(file); // nobody else knows it
        file.Attach(link, (flags & IFF_NO_PI) == 0);
        added!.Stack.Observer?.OnNewLink(added);
        return Errno.None;
    }

    private static Errno Tell(GuestTask task, TunDescription file, TunLink link, NetworkInterface owner, uint request, GuestAddress address)
    {
        Span<byte> answer = stackalloc byte[RequestLength];
        Errno errno = task.Memory.CopyIn(address, answer);
        if (errno != Errno.None)
        {
            return errno;
        }

        if (request == TUNGETIFF)
        {
            int flags = (link.IsTap ? IFF_TAP : IFF_TUN) | (file.HasInformation ? 0 : IFF_NO_PI) | (link.IsPersistent ? IFF_PERSIST : 0);
            answer[..NameLength].Clear();
            _ = Encoding.ASCII.GetBytes(owner.Name, answer);
            BinaryPrimitives.WriteUInt16LittleEndian(answer[NameLength..], (ushort)flags);
        }
        else
        {
            BinaryPrimitives.WriteUInt16LittleEndian(answer[NameLength..], (ushort)InterfaceFlags.HardwareTypeOf(owner));
            link.Address.WriteTo(answer[(NameLength + sizeof(ushort))..]);
        }

        return task.Memory.CopyOut(address, answer);
    }

    private static Errno SetAddress(GuestTask task, NetworkInterface owner, GuestAddress address)
    {
        Span<byte> request = stackalloc byte[RequestLength];
        Errno errno = task.Memory.CopyIn(address, request);
        return errno != Errno.None ? errno
            : !owner.HasEthernet ? Errno.EOPNOTSUPP
            : LinkChanger.SetAddress(owner, EthernetAddress.FromBytes(request[(NameLength + sizeof(ushort))..]));
    }
}
