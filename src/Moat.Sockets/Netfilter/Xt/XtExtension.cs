using Moat.Netstack.Filter;

namespace Moat.Sockets.Netfilter.Xt;

/// <summary>A match or target of iptables that has been read.</summary>
/// <param name="Expression">What it does.</param>
internal sealed record XtExtension(FilterExpression Expression)
{
    /// <summary>The table that it may stand in; null for any.</summary>
    public string? Table { get; init; }

    /// <summary>The hooks that it may be reached from, a bit for each; 0 for all.</summary>
    public uint Hooks { get; init; }

    /// <summary>Whether it stands in chains of the kind nat only.</summary>
    public bool NeedsNatChain => Table == "nat";

    /// <summary>Whether it may be reached from a hook.</summary>
    public bool AllowsHook(FilterHook hook) => Hooks == 0 || (Hooks >> (int)hook & 1) != 0;

    /// <summary>The bits of hooks.</summary>
    public static uint At(params ReadOnlySpan<FilterHook> hooks)
    {
        uint bits = 0;
        foreach (FilterHook hook in hooks)
        {
            bits |= 1u << (int)hook;
        }

        return bits;
    }
}
