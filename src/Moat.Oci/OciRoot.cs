namespace Moat.Oci;

/// <summary>The container's root filesystem.</summary>
public sealed record OciRoot
{
    /// <summary>A directory of the host, absolute or relative to the bundle.</summary>
    public string Path { get; init => field = value ?? ""; } = "";

    /// <summary>Whether nothing may be written to it.</summary>
    public bool Readonly { get; init; }
}
