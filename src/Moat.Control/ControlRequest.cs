using Moat.Oci;

namespace Moat.Control;

/// <summary>A request to a sandbox. Descriptors go beside it.</summary>
public sealed record ControlRequest
{
    /// <summary>What is asked.</summary>
    public required ControlMethod Method { get; init; }

    /// <summary>The container that is meant; null for the sandbox's first.</summary>
    public string? Container { get; init; }

    /// <summary>A process in the container; 0 for the first one.</summary>
    public int Pid { get; init; }

    /// <summary>A signal's number.</summary>
    public int Signal { get; init; }

    /// <summary>Who gets it.</summary>
    public SignalScope Scope { get; init; }

    /// <summary>Signal: whether the first process dies of it as any other would, though it has no handler: the caller is the process's job, not a container's engine.</summary>
    public bool ReachesFirst { get; init; }

    /// <summary>Wait: whether the process is killed if the caller goes away before it has ended (the caller stands for it on the host, and was itself killed).</summary>
    public bool KillWithCaller { get; init; }

    /// <summary>Add: the new container, whose name is <see cref="Container"/>.</summary>
    public ContainerConfig? Config { get; init; }

    /// <summary>The process to start. Its descriptors: standard input, output, error, then those that it inherits from 3 on.</summary>
    public OciProcess? Process { get; init; }
}
