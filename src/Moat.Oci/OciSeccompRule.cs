namespace Moat.Oci;

/// <summary>What happens to some system calls.</summary>
public sealed record OciSeccompRule
{
    /// <summary>The calls.</summary>
    public IReadOnlyList<string> Names { get; init => field = value ?? []; } = [];

    /// <summary>SCMP_ACT_ALLOW, …</summary>
    public string Action { get; init => field = value ?? ""; } = "";

    /// <summary>The error number of an action that has one; null for EPERM.</summary>
    public uint? ErrnoRet { get; init; }

    /// <summary>What their arguments must be.</summary>
    public IReadOnlyList<OciSeccompArgument> Args { get; init => field = value ?? []; } = [];
}
