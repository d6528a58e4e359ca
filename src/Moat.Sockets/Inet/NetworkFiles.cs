using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Moat.Kernel;
using Moat.Netstack;
using Moat.Netstack.Interfaces;
using Moat.Netstack.Neighbors;
using Moat.Netstack.Routing;
using Moat.Netstack.Wire;
using Moat.Sockets.Netfilter;

namespace Moat.Sockets.Inet;

/// <summary>/proc/net's tables of interfaces, routes, addresses and neighbours, in the columns that Linux has.</summary>
public sealed class NetworkFiles : INetworkFiles
{
    private const string Arp = "arp";
    private const string Interfaces = "dev";
    private const string AddressesV6 = "if_inet6";
    private const string RoutesV4 = "route";

    private readonly SocketNetwork _network;
    private readonly NetworkStack _stack;
    private readonly InetSocketFiles _sockets;
    private readonly OtherSocketFiles _others;
    private readonly NetworkCounterFiles _counters;

    /// <summary>The files of a network and its sockets.</summary>
    public NetworkFiles(SocketNetwork network)
    {
        InetSocketList list = new(network);
        (_network, _stack, _sockets, _others, _counters) = (network, network.Stack, new InetSocketFiles(list), new OtherSocketFiles(network), new NetworkCounterFiles(network, list));
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Names { get; } = [Arp, Interfaces, AddressesV6, RoutesV4, .. MulticastFiles.Names, .. InetSocketFiles.Names, .. OtherSocketFiles.Names, .. NetworkCounterFiles.Names, .. NetfilterFiles.Names];

    /// <inheritdoc/>
    public string Read(string name)
    {
        StringBuilder text = new();
        switch (name)
        {
            case Arp:
                WriteNeighbors(text);
                break;
            case Interfaces:
                WriteInterfaces(text);
                break;
            case AddressesV6:
                WriteAddresses(text);
                break;
            case RoutesV4:
                WriteRoutes(text);
                break;
            case var filter when NetfilterFiles.Names.Contains(filter):
                NetfilterFiles.Write(_network, name, text);
                break;
            case var multicast when MulticastFiles.Names.Contains(multicast):
                MulticastFiles.Write(_stack, name, text);
                break;
            case var other when OtherSocketFiles.Names.Contains(other):
                _others.Write(name, text);
                break;
            case var counter when NetworkCounterFiles.Names.Contains(counter):
                _counters.Write(name, text);
                break;
            default:
                _sockets.Write(name, text);
                break;
        }

        return text.ToString();
    }

    private void WriteInterfaces(StringBuilder text)
    {
        text.Append("Inter-|   Receive                                                |  Transmit\n");
        text.Append(" face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n");
        foreach (NetworkInterface owner in _stack.Interfaces)
        {
            InterfaceStatistics counts = owner.Statistics;
            text.Append(CultureInfo.InvariantCulture, $"{owner.Name,6}: {counts.ReceivedBytes,7} {counts.ReceivedPackets,7} {counts.ReceiveErrors,4} {counts.ReceiveDropped,4}    0     0          0         0 ");
            text.Append(CultureInfo.InvariantCulture, $"{counts.SentBytes,8} {counts.SentPackets,7}    0 {counts.SendDropped,4}    0     0       0          0\n");
        }
    }

    // Addresses stand as the numbers that their bytes in network order are on a little-endian machine. Lines have 127 characters.
    private void WriteRoutes(StringBuilder text)
    {
        const int RTF_UP = 1;
        const int RTF_GATEWAY = 2;
        const int RTF_HOST = 4;
        const int RTF_REJECT = 0x200;
        const int LineLength = 127;
        text.Append("Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT".PadRight(LineLength)).Append('\n');
        foreach (Route route in RouteOrder.ForShow(_stack.Routes.List))
        {
            if (!route.Destination.IsV4 || route.Table != RoutingTable.Main)
            {
                continue;
            }

            bool isRefused = route.Kind is RouteKind.Unreachable or RouteKind.Prohibit;
            int flags = RTF_UP | (route.Gateway is null ? 0 : RTF_GATEWAY) | (route.PrefixLength == 32 ? RTF_HOST : 0) | (isRefused ? RTF_REJECT : 0);
            uint mask = route.PrefixLength == 0 ? 0 : uint.MaxValue << (32 - route.PrefixLength);
            string name = _stack.FindInterface(route.InterfaceIndex)?.Name ?? "*";
            string line = string.Create(
                CultureInfo.InvariantCulture,
                $"{name}\t{Swapped(route.Destination.V4):X8}\t{Swapped(route.Gateway?.V4 ?? 0):X8}\t{flags:X4}\t0\t0\t{route.Metric}\t{Swapped(mask):X8}\t{route.Mtu}\t0\t0");
            text.Append(line.PadRight(LineLength)).Append('\n');
        }
    }

    private void WriteAddresses(StringBuilder text)
    {
        const int IFA_F_PERMANENT = 0x80;
        const int HostScope = 0x10;
        const int LinkScope = 0x20;
        Span<byte> bytes = stackalloc byte[16];
        foreach (NetworkInterface owner in _stack.Interfaces)
        {
            foreach (InterfaceAddress address in owner.Addresses)
            {
                if (address.Address.IsV4)
                {
                    continue;
                }

                address.Address.WriteV6To(bytes);
                int scope = address.Address.IsLoopback ? HostScope : address.Address.IsLinkLocal ? LinkScope : 0;
                text.Append(CultureInfo.InvariantCulture, $"{Convert.ToHexStringLower(bytes)} {owner.Index:x2} {address.PrefixLength:x2} {scope:x2} {(address.Flags | IFA_F_PERMANENT) & 0xff:x2} {owner.Name,8}\n");
            }
        }
    }

    private void WriteNeighbors(StringBuilder text)
    {
        const int ATF_COM = 2;
        const int ATF_PERM = 4;
        text.Append("IP address       HW type     Flags       HW address            Mask     Device\n");
        foreach (NetworkInterface owner in _stack.Interfaces)
        {
            foreach (Neighbor neighbor in owner.Neighbors?.List ?? [])
            {
                if (neighbor.Address.IsV4)
                {
                    bool isKnown = neighbor.State is not (NeighborState.Incomplete or NeighborState.Failed);
                    int flags = (isKnown ? ATF_COM : 0) | (neighbor.State == NeighborState.Permanent ? ATF_PERM : 0);
                    EthernetAddress hardware = isKnown ? neighbor.Hardware : default;
                    text.Append(CultureInfo.InvariantCulture, $"{neighbor.Address,-16} 0x{InterfaceFlags.HardwareTypeOf(owner),-10:x}0x{flags,-10:x}{hardware}     *        {owner.Name}\n");
                }
            }
        }
    }

    private static uint Swapped(uint hostOrder) => BinaryPrimitives.ReverseEndianness(hostOrder);
}
