namespace Moat.Runtime.Cgroups;

/// <summary>Maps <c>linux.cgroupsPath</c> to a path within a hierarchy.</summary>
internal static class CgroupPath
{
    /// <summary>An absolute path is taken from the hierarchy's root, a relative one from the group of the runtime itself, and without one the container's id is.</summary>
    /// <param name="configured">The configuration's path, or null.</param>
    /// <param name="id">The container.</param>
    /// <param name="own">The runtime's own group in the hierarchy.</param>
    /// <returns>A path that starts with a slash and holds no dots.</returns>
    public static string Resolve(string? configured, string id, string own)
    {
        string path = string.IsNullOrEmpty(configured) ? id : configured;
        string full = path.StartsWith('/') ? path : $"{own}/{path}";
        List<string> parts = [];
        foreach (string part in full.Split('/'))
        {
            if (part == ".." && parts.Count > 0)
            {
                parts.RemoveAt(parts.Count - 1);
            }
            else if (part is not ("" or "." or ".."))
            {
                parts.Add(part);
            }
        }

        return "/" + string.Join('/', parts);
    }

    /// <summary>Maps systemd's form, slice:prefix:name, to the path that systemd gives such a scope: system.slice for an empty slice, and a-b.slice lies in a.slice
    /// (systemd.slice(5)). Null if the form is not kept.</summary>
    public static string? FromSystemd(string configured, string id)
    {
        string[] parts = configured.Split(':');
        if (parts.Length != 3 || parts[2].Length == 0 || parts.Any(static part => part.Contains('/')))
        {
            return null;
        }

        string slice = parts[0].Length == 0 ? "system.slice" : parts[0];
        if (!slice.EndsWith(".slice", StringComparison.Ordinal))
        {
            return null;
        }

        string path = "";
        if (slice != "-.slice")
        {
            string prefix = "";
            foreach (string word in slice[..^".slice".Length].Split('-'))
            {
                if (word.Length == 0)
                {
                    return null;
                }

                prefix += (prefix.Length == 0 ? "" : "-") + word;
                path += $"/{prefix}.slice";
            }
        }

        string name = parts[2].Length == 0 ? id : parts[2];
        return name.EndsWith(".slice", StringComparison.Ordinal) ? $"{path}/{name}" : $"{path}/{(parts[1].Length == 0 ? "" : parts[1] + "-")}{name}.scope";
    }
}
