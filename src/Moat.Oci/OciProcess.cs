namespace Moat.Oci;

/// <summary>A process: <c>process</c> of a configuration, or what <c>exec --process</c> reads.</summary>
public sealed record OciProcess
{
    /// <summary>Whether it has a terminal.</summary>
    public bool Terminal { get; init; }

    /// <summary>The terminal's size at the start.</summary>
    public OciBox? ConsoleSize { get; init; }

    /// <summary>Who it runs as.</summary>
    public OciUser User { get; init => field = value ?? new(); } = new();

    /// <summary>The program and its arguments.</summary>
    public IReadOnlyList<string> Args { get; init => field = value ?? []; } = [];

    /// <summary>NAME=value.</summary>
    public IReadOnlyList<string> Env { get; init => field = value ?? []; } = [];

    /// <summary>The working directory, absolute.</summary>
    public string Cwd { get; init => field = value ?? ""; } = "";

    /// <summary>Capability sets; null for none given.</summary>
    public OciCapabilities? Capabilities { get; init; }

    /// <summary>Resource limits.</summary>
    public IReadOnlyList<OciRlimit> Rlimits { get; init => field = value ?? []; } = [];

    /// <summary>PR_SET_NO_NEW_PRIVS.</summary>
    public bool NoNewPrivileges { get; init; }

    /// <summary>An AppArmor profile's name.</summary>
    public string? ApparmorProfile { get; init; }

    /// <summary>/proc/PID/oom_score_adj.</summary>
    public int? OomScoreAdj { get; init; }

    /// <summary>A SELinux label.</summary>
    public string? SelinuxLabel { get; init; }

    /// <summary>Members that this version does not know; see <see cref="IgnoredSettings"/>.</summary>
    [System.Text.Json.Serialization.JsonExtensionData]
    public Dictionary<string, System.Text.Json.JsonElement>? Unknown { get; set; }
}
