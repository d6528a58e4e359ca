using Moat.Netstack.Filter;

namespace Moat.Sockets.Netfilter.Legacy;

/// <summary>A rule of a table, as it was checked.</summary>
/// <param name="Offset">Where it begins among the table's entries.</param>
/// <param name="Length">Its bytes.</param>
/// <param name="TargetOffset">Where its target is, from its begin on.</param>
internal sealed record XtEntry(int Offset, int Length, int TargetOffset)
{
    /// <summary>What counts its packets.</summary>
    public RuleCounter Counter { get; } = new();

    /// <summary>Whether every packet matches it.</summary>
    public bool IsUnconditional { get; init; }

    /// <summary>Whether its target is a verdict.</summary>
    public bool IsStandard { get; init; }

    /// <summary>Whether it begins a chain, or ends the table: packets do not get here.</summary>
    public bool IsError { get; init; }

    /// <summary>Whether it is a jump that does not come back.</summary>
    public bool IsGoto { get; init; }

    /// <summary>A standard target's verdict: where a jump leads, or a negative number.</summary>
    public int Verdict { get; init; }

    /// <summary>The hooks that packets reach it from, a bit for each.</summary>
    public uint Hooks { get; set; }

    /// <summary>The rule for the engine.</summary>
    public FilterRule? Compiled { get; set; }

    /// <summary>Whether a chain certainly ends here.</summary>
    public bool IsEnd => IsError || (IsStandard && IsUnconditional && (Verdict < 0 || IsGoto));
}
