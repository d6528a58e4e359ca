namespace Moat.Sockets.Netfilter.Legacy;

/// <summary>Where things are in the tables of one family of iptables (linux/netfilter_ipv4/ip_tables.h, linux/netfilter_ipv6/ip6_tables.h).</summary>
internal sealed record XtLayout
{
    /// <summary>Bytes of <c>struct xt_standard_target</c>.</summary>
    public const int StandardTarget = 40;

    /// <summary>Bytes of <c>struct xt_error_target</c>.</summary>
    public const int ErrorTarget = 64;

    /// <summary>Bytes of <c>struct xt_entry_match</c> and <c>struct xt_entry_target</c>.</summary>
    public const int ExtensionHeader = 32;

    /// <summary>Bytes of <c>struct ipt_getinfo</c>.</summary>
    public const int Info = 84;

    /// <summary>Bytes of <c>struct ipt_get_entries</c> before the entries.</summary>
    public const int GetEntries = 40;

    /// <summary>Bytes of <c>struct ipt_replace</c> before the entries.</summary>
    public const int Replace = 96;

    /// <summary>Bytes of <c>struct xt_counters</c>.</summary>
    public const int Counters = 16;

    /// <summary>Bytes of a table's name with its zero byte.</summary>
    public const int TableName = 32;

    /// <summary>Hooks of IP.</summary>
    public const int Hooks = 5;

    /// <summary>iptables.</summary>
    public static XtLayout V4 { get; } = new() { IsV6 = false, Address = 4, InterfaceOffset = 16, Protocol = 80, Flags = 82, Inverted = 83, TargetOffset = 88, CountersOffset = 96, Entry = 112, KnownFlags = 3, GotoFlag = 2 };

    /// <summary>ip6tables.</summary>
    public static XtLayout V6 { get; } = new() { IsV6 = true, Address = 16, InterfaceOffset = 64, Protocol = 128, Flags = 131, Inverted = 132, TargetOffset = 140, CountersOffset = 152, Entry = 168, KnownFlags = 7, GotoFlag = 4 };

    /// <summary>Whether it is for IPv6.</summary>
    public required bool IsV6 { get; init; }

    /// <summary>Bytes of an address: source, destination and their masks begin an entry.</summary>
    public required int Address { get; init; }

    /// <summary>Where the names of interfaces and their masks are.</summary>
    public required int InterfaceOffset { get; init; }

    /// <summary>Where the protocol is.</summary>
    public required int Protocol { get; init; }

    /// <summary>Where the flags are.</summary>
    public required int Flags { get; init; }

    /// <summary>Where the flags are that say what is inverted.</summary>
    public required int Inverted { get; init; }

    /// <summary>Where it says where the target is; where the next entry is follows.</summary>
    public required int TargetOffset { get; init; }

    /// <summary>Where the counters are.</summary>
    public required int CountersOffset { get; init; }

    /// <summary>Bytes of an entry before its matches.</summary>
    public required int Entry { get; init; }

    /// <summary>Flags that there are.</summary>
    public required byte KnownFlags { get; init; }

    /// <summary>The flag of a jump that does not come back.</summary>
    public required byte GotoFlag { get; init; }
}
