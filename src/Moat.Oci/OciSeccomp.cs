using System.Text.Json;
using System.Text.Json.Serialization;

namespace Moat.Oci;

/// <summary>A filter of system calls (<c>linux.seccomp</c>).</summary>
public sealed record OciSeccomp
{
    /// <summary>What happens to calls without a rule: SCMP_ACT_ERRNO, …</summary>
    public string DefaultAction { get; init => field = value ?? ""; } = "";

    /// <summary>The error number of a default action that has one; null for EPERM.</summary>
    public uint? DefaultErrnoRet { get; init; }

    /// <summary>Architectures that the rules are for: SCMP_ARCH_X86_64, …</summary>
    public IReadOnlyList<string> Architectures { get; init => field = value ?? []; } = [];

    /// <summary>Flags of seccomp(2): SECCOMP_FILTER_FLAG_LOG, …</summary>
    public IReadOnlyList<string> Flags { get; init => field = value ?? []; } = [];

    /// <summary>The rules.</summary>
    public IReadOnlyList<OciSeccompRule> Syscalls { get; init => field = value ?? []; } = [];

    /// <summary>Members that this version does not know; see <see cref="IgnoredSettings"/>.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Unknown { get; set; }
}
