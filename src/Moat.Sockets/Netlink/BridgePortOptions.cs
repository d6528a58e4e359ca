using Moat.Linux;
using Moat.Netstack.Bridging;
using static Moat.Sockets.Netlink.LinkAttribute;

namespace Moat.Sockets.Netlink;

/// <summary>IFLA_BRPORT_* attributes: how a port of a bridge behaves (bridge(8)).</summary>
internal static class BridgePortOptions
{
    private static readonly int[] s_known = [IFLA_BRPORT_MODE, IFLA_BRPORT_LEARNING, IFLA_BRPORT_UNICAST_FLOOD, IFLA_BRPORT_ISOLATED];

    /// <summary>Makes a port what the attributes say.</summary>
    /// <returns>EOPNOTSUPP for options that ports here do not have; EINVAL.</returns>
    public static Errno Apply(BridgePort port, NetlinkAttributes options)
    {
        const int MaxOption = 63;
        for (int option = 1; option <= MaxOption; option++)
        {
            if (options.TryFind(option, out ReadOnlySpan<byte> value))
            {
                if (Array.IndexOf(s_known, option) < 0 || value.IsEmpty)
                {
                    return value.IsEmpty ? Errno.EINVAL : Errno.EOPNOTSUPP;
                }
            }
        }

        port.IsHairpin = Read(options, IFLA_BRPORT_MODE, port.IsHairpin);
        port.Learns = Read(options, IFLA_BRPORT_LEARNING, port.Learns);
        port.Floods = Read(options, IFLA_BRPORT_UNICAST_FLOOD, port.Floods);
        port.IsIsolated = Read(options, IFLA_BRPORT_ISOLATED, port.IsIsolated);
        return Errno.None;
    }

    private static bool Read(NetlinkAttributes options, int option, bool before) => options.TryFind(option, out ReadOnlySpan<byte> value) ? value[0] != 0 : before;
}
