using System.Text.Json;

namespace Moat.Oci;

/// <summary>Finds what a configuration asks for that a sandbox does not do and that is no reason to refuse it, so that it can be said.</summary>
public static class IgnoredSettings
{
    private static readonly string[] s_ownNamespaces = ["pid", "ipc", "uts", "mount"];
    private static readonly string[] s_privatePropagation = ["private", "rprivate", "slave", "rslave"];

    /// <summary>Paths of the members, each with a reason in parentheses where it is not obvious.</summary>
    /// <param name="spec">The configuration.</param>
    /// <param name="shared">Types of namespaces that are another container's of the sandbox.</param>
    /// <param name="filters">Whether the filter of system calls is loaded.</param>
    public static IReadOnlyList<string> Find(OciSpec spec, IReadOnlyList<string> shared, bool filters = false)
    {
        List<string> found = [];
        AddUnknown(found, "", spec.Unknown);
        if (spec.Process is { } process)
        {
            AddUnknown(found, "process.", process.Unknown);
            AddIf(found, !string.IsNullOrEmpty(process.ApparmorProfile), "process.apparmorProfile");
            AddIf(found, !string.IsNullOrEmpty(process.SelinuxLabel), "process.selinuxLabel");
        }

        for (int i = 0; i < spec.Mounts.Count; i++)
        {
            AddUnknown(found, $"mounts[{i}].", spec.Mounts[i].Unknown);
        }

        if (spec.Linux is { } linux)
        {
            AddUnknown(found, "linux.", linux.Unknown);
            AddIf(found, linux.Seccomp is not null && !filters, "linux.seccomp (without --oci-seccomp)");
            AddUnknown(found, "linux.seccomp.", linux.Seccomp?.Unknown);
            AddIf(found, !string.IsNullOrEmpty(linux.MountLabel), "linux.mountLabel");
            AddIf(found, !string.IsNullOrEmpty(linux.RootfsPropagation) && !s_privatePropagation.Contains(linux.RootfsPropagation), "linux.rootfsPropagation");
            AddUnknown(found, "linux.resources.", linux.Resources?.Unknown);
            foreach (string type in s_ownNamespaces)
            {
                AddIf(found, linux.FindNamespace(type) is null, $"linux.namespaces (no {type} namespace: a sandbox always has its own)");
                AddIf(found, !shared.Contains(type) && linux.FindNamespace(type) is { Path.Length: > 0 }, $"linux.namespaces ({type}: it is no container's of the sandbox)");
            }
        }

        return found;
    }

    private static void AddUnknown(List<string> found, string prefix, IReadOnlyDictionary<string, JsonElement>? members)
    {
        foreach (KeyValuePair<string, JsonElement> member in members ?? new Dictionary<string, JsonElement>())
        {
            AddIf(found, member.Value.ValueKind != JsonValueKind.Null, prefix + member.Key);
        }
    }

    private static void AddIf(List<string> found, bool condition, string member)
    {
        if (condition)
        {
            found.Add(member);
        }
    }
}
