namespace Moat.Control;

/// <summary>A directory or file of the host that a Gofer serves on a connection of its own.</summary>
public sealed record GoferExport
{
    /// <summary>What it is, for messages.</summary>
    public required string Name { get; init; }

    /// <summary>The path, in the Gofer's own root.</summary>
    public required string Source { get; init; }

    /// <summary>Whether nothing may be written.</summary>
    public required bool IsReadOnly { get; init; }

    /// <summary>The connection.</summary>
    public required int ConnectionFd { get; init; }
}
