using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Moat.Netstack;
using Moat.Netstack.Interfaces;
using Moat.Netstack.Wire;

namespace Moat.Sockets.Inet;

/// <summary>/proc/net's tables of the groups that interfaces listen to (proc(5)): igmp, igmp6, dev_mcast.</summary>
internal static class MulticastFiles
{
    /// <summary>The tables.</summary>
    public static IReadOnlyList<string> Names { get; } = ["dev_mcast", "igmp", "igmp6"];

    /// <summary>Writes one of them.</summary>
    public static void Write(NetworkStack stack, string name, StringBuilder text)
    {
        text.Append(name == "igmp" ? "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n" : "");
        foreach (NetworkInterface owner in stack.Interfaces)
        {
            switch (name)
            {
                case "igmp":
                    WriteV4(owner, text);
                    break;
                case "igmp6":
                    WriteV6(owner, text);
                    break;
                default:
                    WriteLink(owner, text);
                    break;
            }
        }
    }

    // All hosts are a member of the first group, which no socket joins.
    private static void WriteV4(NetworkInterface owner, StringBuilder text)
    {
        List<KeyValuePair<IpAddress, int>> groups = [.. owner.Groups.List.Where(static group => group.Key.IsV4), new(IpAddress.FromV4(0xe000_0001), 1)];
        text.Append(CultureInfo.InvariantCulture, $"{owner.Index}\t{owner.Name,-10}: {groups.Count,5}      V3\n");
        foreach ((IpAddress group, int users) in groups)
        {
            text.Append(CultureInfo.InvariantCulture, $"\t\t\t\t{BinaryPrimitives.ReverseEndianness(group.V4):X8} {users,5} 0:00000000\t\t0\n");
        }
    }

    private static void WriteV6(NetworkInterface owner, StringBuilder text)
    {
        Span<byte> bytes = stackalloc byte[16];
        foreach ((IpAddress group, int users) in owner.Groups.List)
        {
            if (!group.IsV4)
            {
                group.WriteV6To(bytes);
                text.Append(CultureInfo.InvariantCulture, $"{owner.Index,-4} {owner.Name,-15} {Convert.ToHexStringLower(bytes)} {users,5} 00000004 0\n");
            }
        }
    }

    // A group of IP is one of Ethernet: RFC 1112 section 6.4, RFC 2464 section 7.
    private static void WriteLink(NetworkInterface owner, StringBuilder text)
    {
        if (!owner.HasEthernet)
        {
            return;
        }

        Span<byte> bytes = stackalloc byte[16];
        foreach ((IpAddress group, int users) in owner.Groups.List)
        {
            group.WriteV6To(bytes);
            string address = group.IsV4
                ? $"01005e{(group.V4 & 0x7fffff).ToString("x6", CultureInfo.InvariantCulture)}"
                : $"3333{Convert.ToHexStringLower(bytes[12..])}";
            text.Append(CultureInfo.InvariantCulture, $"{owner.Index,-4} {owner.Name,-15} {users,-5} 0     {address}\n");
        }
    }
}
