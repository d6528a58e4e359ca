namespace Moat.Sockets.Netfilter.Xt;

/// <summary>Where an extension stands.</summary>
/// <param name="Family">The table's family.</param>
/// <param name="Protocol">The protocol that the rule is for, or 0.</param>
internal readonly record struct XtContext(NetfilterFamily Family, byte Protocol)
{
    /// <summary>The table's name; null if the front end checks by itself where an extension may stand.</summary>
    public string? Table { get; init; }
}
