using Moat.Netstack.Filter;
using Moat.Sockets.Netfilter.Xt;

namespace Moat.Sockets.Netfilter.Legacy;

/// <summary>What a table of iptables is for.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Kind">The kind of its chains.</param>
/// <param name="Hooks">Where packets enter it.</param>
/// <param name="Priority">In which order.</param>
internal sealed record XtTableKind(string Name, FilterChainKind Kind, FilterHook[] Hooks, int Priority)
{
    /// <summary>The tables that there are.</summary>
    public static IReadOnlyList<XtTableKind> All { get; } =
    [
        new("filter", FilterChainKind.Filter, [FilterHook.Input, FilterHook.Forward, FilterHook.Output], 0),
        new("nat", FilterChainKind.Nat, [FilterHook.Prerouting, FilterHook.Input, FilterHook.Output, FilterHook.Postrouting], 0),
        new("mangle", FilterChainKind.Route, [FilterHook.Prerouting, FilterHook.Input, FilterHook.Forward, FilterHook.Output, FilterHook.Postrouting], -150),
        new("raw", FilterChainKind.Filter, [FilterHook.Prerouting, FilterHook.Output], -300),
        new("security", FilterChainKind.Filter, [FilterHook.Input, FilterHook.Forward, FilterHook.Output], 50),
    ];

    /// <summary>The bits of its hooks.</summary>
    public uint ValidHooks => XtExtension.At(Hooks);
}
