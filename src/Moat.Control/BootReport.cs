namespace Moat.Control;

/// <summary>What a Sentry says once, when it has set up everything or failed to.</summary>
public sealed record BootReport
{
    /// <summary>Null if the first process can be started; otherwise one line.</summary>
    public string? Error { get; init; }

    /// <summary>Members of the configuration that have no effect.</summary>
    public IReadOnlyList<string>? Ignored { get; init; }

    /// <summary>What the user should know besides, one line; null for nothing.</summary>
    public string? Note { get; init; }
}
