using Moat.Netstack.Interfaces;

namespace Moat.Sockets.Inet;

/// <summary>How interfaces look to netdevice(7) and rtnetlink(7).</summary>
internal static class InterfaceFlags
{
    private const int IFF_UP = 0x1;
    private const int IFF_BROADCAST = 0x2;
    private const int IFF_LOOPBACK = 0x8;
    private const int IFF_RUNNING = 0x40;
    private const int IFF_MULTICAST = 0x1000;
    private const int ARPHRD_ETHER = 1;
    private const int ARPHRD_LOOPBACK = 772;
    private const int ARPHRD_NONE = 0xfffe;

    /// <summary>IFF_*.</summary>
    public static int Of(NetworkInterface owner) =>
        (owner.IsUp ? IFF_UP | IFF_RUNNING : 0) | (owner.IsLoopback ? IFF_LOOPBACK : owner.HasEthernet ? IFF_BROADCAST | IFF_MULTICAST : 0);

    /// <summary>ARPHRD_*.</summary>
    public static int HardwareTypeOf(NetworkInterface owner) => owner.IsLoopback ? ARPHRD_LOOPBACK : owner.HasEthernet ? ARPHRD_ETHER : ARPHRD_NONE;
}
