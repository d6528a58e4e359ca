using Moat.Netstack.Interfaces;
using Moat.Netstack.Link;

namespace Moat.Sockets.Inet;

/// <summary>How interfaces look to netdevice(7) and rtnetlink(7).</summary>
internal static class InterfaceFlags
{
    private const int IFF_UP = 0x1;
    private const int IFF_BROADCAST = 0x2;
    private const int IFF_LOOPBACK = 0x8;
    private const int IFF_POINTOPOINT = 0x10;
    private const int IFF_RUNNING = 0x40;
    private const int IFF_NOARP = 0x80;
    private const int IFF_PROMISC = 0x100;
    private const int IFF_ALLMULTI = 0x200;
    private const int IFF_MULTICAST = 0x1000;
    private const int ARPHRD_ETHER = 1;
    private const int ARPHRD_LOOPBACK = 772;
    private const int ARPHRD_NONE = 0xfffe;

    /// <summary>Those that programs set, and that are kept for them: packet sockets see all frames of a link in any case.</summary>
    public const int Kept = IFF_NOARP | IFF_PROMISC | IFF_ALLMULTI;

    /// <summary>IFF_*.</summary>
    public static int Of(NetworkInterface owner) =>
        (owner.IsUp ? IFF_UP : 0) | (owner.IsRunning ? IFF_RUNNING : 0) | (owner.KeptFlags & Kept) | KindOf(owner);

    private static int KindOf(NetworkInterface owner) =>
        owner.IsLoopback ? IFF_LOOPBACK
        : owner.Link is DummyLink ? IFF_BROADCAST | IFF_NOARP
        : owner.HasEthernet ? IFF_BROADCAST | IFF_MULTICAST : IFF_POINTOPOINT | IFF_NOARP | IFF_MULTICAST;

    /// <summary>ARPHRD_*.</summary>
    public static int HardwareTypeOf(NetworkInterface owner) => owner.IsLoopback ? ARPHRD_LOOPBACK : owner.HasEthernet ? ARPHRD_ETHER : ARPHRD_NONE;
}
