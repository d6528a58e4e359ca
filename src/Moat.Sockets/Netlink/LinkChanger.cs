using Moat.Linux;
using Moat.Netstack.Bridging;
using Moat.Netstack.Interfaces;
using Moat.Netstack.Link;
using Moat.Netstack.Wire;
using Moat.Sockets.Inet;

namespace Moat.Sockets.Netlink;

/// <summary>Changes interfaces, for rtnetlink(7) and netdevice(7). Under the lock of interfaces (<see cref="SocketNetworks.LinkLock"/>).</summary>
internal static class LinkChanger
{
    /// <summary>The smallest MTU of an interface (ETH_MIN_MTU).</summary>
    public const int MinMtu = 68;

    private const int IFF_UP = 1;

    /// <summary>Makes an interface what a request says, but for its network.</summary>
    /// <returns>The error of the first thing that cannot be; what comes before it has happened, as in Linux.</returns>
    public static Errno Apply(NetworkInterface link, LinkChange change)
    {
        Errno errno = change.Address is { } address ? SetAddress(link, address) : Errno.None;
        errno = errno == Errno.None && change.Mtu is { } mtu ? SetMtu(link, mtu) : errno;
        if (errno != Errno.None)
        {
            return errno;
        }

        link.Group = change.Group ?? link.Group;
        errno = change.Name is { } name ? Rename(link, name) : Errno.None;
        if (errno != Errno.None)
        {
            return errno;
        }

        link.Alias = change.Alias is { } alias ? alias.Length > 0 ? alias : null : link.Alias;
        link.QueueLength = change.QueueLength ?? link.QueueLength;
        errno = change.Master is { } master ? SetMaster(link, master) : Errno.None;
        if (errno == Errno.None && change.Mask != 0)
        {
            SetFlags(link, (InterfaceFlags.Of(link) & ~change.Mask) | (change.Flags & change.Mask));
        }

        return errno;
    }

    /// <summary>Gives it another link-layer address.</summary>
    /// <returns>EADDRNOTAVAIL for what is none of one host, EOPNOTSUPP if it is not for programs to say.</returns>
    public static Errno SetAddress(NetworkInterface link, EthernetAddress address) =>
        link.Link.Kind is null ? link.Link.Address == address ? Errno.None : Errno.EOPNOTSUPP
        : !address.IsUnicast ? Errno.EADDRNOTAVAIL
        : link.Link.TrySetAddress(address) ? Errno.None : Errno.EOPNOTSUPP;

    /// <summary>Gives it another MTU.</summary>
    /// <returns>EINVAL.</returns>
    public static Errno SetMtu(NetworkInterface link, uint mtu)
    {
        if (mtu > (uint)link.Link.MaxMtu || (mtu < MinMtu && !link.IsLoopback))
        {
            return Errno.EINVAL;
        }

        link.Mtu = (int)mtu;
        (link.Link as BridgeLink)?.KeepMtu();
        return Errno.None;
    }

    /// <summary>Gives it another name; one with %d gets the lowest number that is free.</summary>
    /// <returns>EINVAL, EEXIST.</returns>
    public static Errno Rename(NetworkInterface link, string wanted)
    {
        if (wanted == link.Name)
        {
            return Errno.None;
        }

        Result<string> free = LinkNames.Complete(link.Stack, wanted);
        return free.TryGet(out string? name, out Errno errno) ? link.Stack.Rename(link, name).ToErrno() : errno;
    }

    /// <summary>Sets IFF_UP, and the flags that are only kept.</summary>
    public static void SetFlags(NetworkInterface link, int flags)
    {
        link.KeptFlags = flags & InterfaceFlags.Kept;
        link.Stack.SetUp(link, (flags & IFF_UP) != 0);
    }

    // A port goes from one bridge to the other; 0 makes it an interface like others.
    private static Errno SetMaster(NetworkInterface link, uint number)
    {
        NetworkInterface? master = number == 0 ? null : link.Stack.FindInterface(unchecked((int)number));
        if (number != 0 && master is null)
        {
            return Errno.EINVAL;
        }

        if (link.Port is { } port)
        {
            if (port.Bridge == master?.Link)
            {
                return Errno.None;
            }

            port.Bridge.Remove(port);
        }

        return master is null ? Errno.None
            : master.Link is not BridgeLink bridge ? Errno.EOPNOTSUPP
            : link.Link is BridgeLink ? Errno.ELOOP
            : bridge.Add(link).ToErrno();
    }
}
