using Moat.Oci;
using Moat.Runtime.State;

namespace Moat.Runtime.Launch;

/// <summary>Finds the running sandbox that a container is to be part of: its pod's, or the one whose network it shares.</summary>
internal static class SandboxFinder
{
    // How containerd's and CRI-O's implementations of Kubernetes' runtime interface say what a container is.
    private static readonly (string Type, string Sandbox)[] s_annotations =
    [
        ("io.kubernetes.cri.container-type", "io.kubernetes.cri.sandbox-id"),
        ("io.kubernetes.cri-o.ContainerType", "io.kubernetes.cri-o.SandboxID"),
    ];

    /// <summary>Finds it.</summary>
    /// <returns>The record of the sandbox's first container; null if the container gets a sandbox of its own.</returns>
    /// <exception cref="RuntimeException">The pod's sandbox is not there.</exception>
    public static ContainerRecord? Find(RuntimeOptions options, OciSpec spec)
    {
        foreach ((string typeName, string sandboxName) in s_annotations)
        {
            if (!spec.Annotations.TryGetValue(typeName, out string? type))
            {
                continue;
            }

            if (type != "container")
            {
                return null; // the sandbox itself
            }

            return spec.Annotations.TryGetValue(sandboxName, out string? id) && ContainerId.Validate(id) is null && ContainerDirectory.Peek(options.Root, id) is { } named && IsJoinable(named) ? named
                : throw new RuntimeException($"config.json: annotations: {sandboxName}: there is no running sandbox \"{id}\"");
        }

        return options.Sandbox.Network != "host" && spec.Linux?.FindNamespace("network") is { Path.Length: > 0 } network ? FindByNetwork(options, network.Path) : null;
    }

    /// <summary>The container of a sandbox that has a namespace.</summary>
    /// <param name="options">Where containers are.</param>
    /// <param name="sandbox">The sandbox's first container.</param>
    /// <param name="spec">The configuration that wants to share it.</param>
    /// <param name="type">The namespace's type.</param>
    /// <param name="file">Its name in /proc/PID/ns.</param>
    /// <returns>Its id; null if the configuration wants a new one, or one that is nobody's.</returns>
    public static string? FindSharer(RuntimeOptions options, ContainerRecord sandbox, OciSpec spec, string type, string file)
    {
        if (spec.Linux?.FindNamespace(type) is not { Path.Length: > 0 } wanted || NetworkCheck.Identify(wanted.Path) is not { } identity)
        {
            return null;
        }

        foreach (string id in ContainerDirectory.List(options.Root))
        {
            if (ContainerDirectory.Peek(options.Root, id) is { } record && (record.SandboxId ?? record.Id) == sandbox.Id && record.Process.IsAlive
                && NetworkCheck.Identify($"/proc/{record.Process.Pid}/ns/{file}") == identity)
            {
                return id;
            }
        }

        return null;
    }

    private static ContainerRecord? FindByNetwork(RuntimeOptions options, string path)
    {
        if (NetworkCheck.Identify(path) is not { } wanted)
        {
            return null; // whoever joins it says why it cannot
        }

        foreach (string id in ContainerDirectory.List(options.Root))
        {
            if (ContainerDirectory.Peek(options.Root, id) is { } record && IsJoinable(record) && NetworkCheck.Identify($"/proc/{record.SandboxPid}/ns/net") == wanted)
            {
                return record;
            }
        }

        return null;
    }

    private static bool IsJoinable(ContainerRecord record) => record is { SandboxId: null, Written: ContainerStatus.Created or ContainerStatus.Running or ContainerStatus.Paused } && record.Sandbox.IsAlive;
}
