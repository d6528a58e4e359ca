namespace Moat.Oci;

/// <summary>Programs to run at points of a container's life, in order.</summary>
public sealed record OciHooks
{
    /// <summary>Before start, after the container was made (deprecated in favour of the next three).</summary>
    public IReadOnlyList<OciHook> Prestart { get; init => field = value ?? []; } = [];

    /// <summary>During create, in the runtime's namespaces, after the environment exists.</summary>
    public IReadOnlyList<OciHook> CreateRuntime { get; init => field = value ?? []; } = [];

    /// <summary>During create, in the container's namespaces.</summary>
    public IReadOnlyList<OciHook> CreateContainer { get; init => field = value ?? []; } = [];

    /// <summary>During start, in the container, before its process.</summary>
    public IReadOnlyList<OciHook> StartContainer { get; init => field = value ?? []; } = [];

    /// <summary>After the process has been started.</summary>
    public IReadOnlyList<OciHook> Poststart { get; init => field = value ?? []; } = [];

    /// <summary>After the container was deleted.</summary>
    public IReadOnlyList<OciHook> Poststop { get; init => field = value ?? []; } = [];
}
