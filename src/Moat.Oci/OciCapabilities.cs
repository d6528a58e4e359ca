namespace Moat.Oci;

/// <summary>Capability sets by name, such as CAP_KILL.</summary>
public sealed record OciCapabilities
{
    /// <summary>The bounding set.</summary>
    public IReadOnlyList<string> Bounding { get; init => field = value ?? []; } = [];

    /// <summary>The effective set.</summary>
    public IReadOnlyList<string> Effective { get; init => field = value ?? []; } = [];

    /// <summary>The inheritable set.</summary>
    public IReadOnlyList<string> Inheritable { get; init => field = value ?? []; } = [];

    /// <summary>The permitted set.</summary>
    public IReadOnlyList<string> Permitted { get; init => field = value ?? []; } = [];

    /// <summary>The ambient set.</summary>
    public IReadOnlyList<string> Ambient { get; init => field = value ?? []; } = [];
}
