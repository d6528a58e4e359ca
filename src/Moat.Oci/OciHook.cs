namespace Moat.Oci;

/// <summary>A program that is run at a point of a container's life.</summary>
public sealed record OciHook
{
    /// <summary>The program, absolute.</summary>
    public string Path { get; init => field = value ?? ""; } = "";

    /// <summary>Its arguments with its name first; empty for the path alone.</summary>
    public IReadOnlyList<string> Args { get; init => field = value ?? []; } = [];

    /// <summary>NAME=value; nothing else is passed on.</summary>
    public IReadOnlyList<string> Env { get; init => field = value ?? []; } = [];

    /// <summary>Seconds until it is killed; null for no limit.</summary>
    public int? Timeout { get; init; }
}
