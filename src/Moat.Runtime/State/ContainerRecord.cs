using Moat.Host.Process;
using Moat.Oci;

namespace Moat.Runtime.State;

/// <summary>What is kept of a container between commands: state.json in its directory.</summary>
public sealed record ContainerRecord
{
    /// <summary>Its id.</summary>
    public required string Id { get; init; }

    /// <summary>The bundle's absolute path.</summary>
    public required string Bundle { get; init; }

    /// <summary>The root's absolute path.</summary>
    public required string Rootfs { get; init; }

    /// <summary>When it was made.</summary>
    public required DateTime Created { get; init; }

    /// <summary>Who made it.</summary>
    public required uint OwnerUid { get; init; }

    /// <summary>The status last written; see <see cref="Status"/>.</summary>
    public required ContainerStatus Written { get; init; }

    /// <summary>The Sentry; number 0 before it was started.</summary>
    public int SandboxPid { get; init; }

    /// <summary>The Sentry's start time.</summary>
    public ulong SandboxStart { get; init; }

    /// <summary>The container whose sandbox it shares; null if it has its own.</summary>
    public string? SandboxId { get; init; }

    /// <summary>The process that stands for a container that shares another's sandbox; number 0 before it was started, and without one.</summary>
    public int StandInPid { get; init; }

    /// <summary>Its start time.</summary>
    public ulong StandInStart { get; init; }

    /// <summary>The Gofer; number 0 without one.</summary>
    public int GoferPid { get; init; }

    /// <summary>The Gofer's start time.</summary>
    public ulong GoferStart { get; init; }

    /// <summary>Directories of its cgroups, to be removed with it.</summary>
    public IReadOnlyList<string> CgroupPaths { get; init => field = value ?? []; } = [];

    /// <summary>The configuration.</summary>
    public required OciSpec Spec { get; init; }

    /// <summary>The Sentry as a process of the host.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public HostProcess Sandbox => new(SandboxPid, SandboxStart);

    /// <summary>The process of the host that ends with the container: what engines wait for.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public HostProcess Process => SandboxId is null ? Sandbox : new HostProcess(StandInPid, StandInStart);

    /// <summary>The Gofer as a process of the host.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public HostProcess Gofer => new(GoferPid, GoferStart);

    /// <summary>The status now: stopped as soon as its process is gone, whatever was written.</summary>
    public ContainerStatus Status() => Written == ContainerStatus.Creating && Process.Pid == 0 ? Written : Process.IsAlive ? Written : ContainerStatus.Stopped;

    /// <summary>The state for <c>state</c> and hooks.</summary>
    public OciState ToState(ContainerStatus status) => new()
    {
        Id = Id,
        Status = status.ToString().ToLowerInvariant(),
        Pid = status == ContainerStatus.Stopped ? 0 : Process.Pid,
        Bundle = Bundle,
        Annotations = Spec.Annotations.Count > 0 ? Spec.Annotations : null,
    };
}
