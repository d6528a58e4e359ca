using Moat.Host;
using Moat.Oci;

namespace Moat.Runtime.Cgroups;

/// <summary>The groups of one container in all hierarchies of the host, version 1 or 2.</summary>
public sealed class Cgroup
{
    private readonly IReadOnlyList<(CgroupMount Mount, string Path)> _groups;

    private Cgroup(IReadOnlyList<(CgroupMount, string)> groups) => _groups = groups;

    /// <summary>The directories, which are to be removed with the container.</summary>
    public IReadOnlyList<string> Paths => [.. _groups.Select(static group => group.Path)];

    /// <summary>Finds out where a container's groups are; nothing is made.</summary>
    /// <param name="configured">The configuration's path.</param>
    /// <param name="id">The container.</param>
    /// <param name="isSystemd">Whether the path has systemd's form. systemd itself is not asked for the scope: the runtime makes the directories.</param>
    /// <exception cref="RuntimeException">The path is not usable.</exception>
    public static Cgroup Locate(string? configured, string id, bool isSystemd)
    {
        string? path = configured;
        if (isSystemd)
        {
            path = CgroupPath.FromSystemd(string.IsNullOrEmpty(configured) ? $"system.slice:runsc:{id}" : configured, id)
                ?? throw new RuntimeException($"config.json: linux.cgroupsPath: \"{configured}\" does not have the form slice:prefix:name that --systemd-cgroup needs");
        }

        string own = File.ReadAllText("/proc/self/cgroup");
        List<(CgroupMount, string)> groups = [];
        foreach (CgroupMount mount in CgroupMount.Parse(File.ReadAllText("/proc/self/mountinfo")))
        {
            string inside = CgroupPath.Resolve(path, id, mount.FindProcess(own));
            if (inside != "/")
            {
                groups.Add((mount, mount.Path + inside));
            }
        }

        return new Cgroup(groups);
    }

    /// <summary>Makes the groups and applies limits; what was made stays for <see cref="Remove"/> if it fails.</summary>
    /// <returns>Limits that this host's kernel does not have.</returns>
    /// <exception cref="RuntimeException">The host refuses.</exception>
    public IReadOnlyList<string> Create(OciResources? resources)
    {
        foreach ((CgroupMount mount, string path) in _groups)
        {
            try
            {
                MakeGroup(mount, path);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new RuntimeException($"cannot make cgroup {path}: {HostFault.Describe(e)}", e);
            }
        }

        return resources is null ? [] : Apply(resources);
    }

    /// <summary>Applies limits to existing groups.</summary>
    /// <returns>Limits that this host's kernel does not have.</returns>
    /// <exception cref="RuntimeException">The host refuses a value.</exception>
    public IReadOnlyList<string> Apply(OciResources resources)
    {
        List<string> skipped = [];
        foreach ((CgroupMount mount, string path) in _groups)
        {
            List<CgroupSetting> refused = [];
            foreach (CgroupSetting setting in mount.IsUnified ? ResourceSettings.ForVersion2(resources) : ResourceSettings.ForVersion1(resources))
            {
                if (!mount.IsUnified && !mount.Controllers.Contains(setting.Controller))
                {
                    continue;
                }

                if (TryWrite(path, setting, out string? error))
                {
                    continue;
                }

                if (setting.IsOptional)
                {
                    skipped.Add($"linux.resources ({setting.File}: {error})");
                }
                else
                {
                    refused.Add(setting);
                }
            }

            // Once more: limits that must not exceed one another may have come in the wrong order.
            foreach (CgroupSetting setting in refused)
            {
                if (!TryWrite(path, setting, out string? error))
                {
                    throw new RuntimeException($"cannot set {setting.File} of cgroup {path} to {setting.Value}: {error}");
                }
            }
        }

        if (_groups.Count > 0 && !_groups[0].Mount.IsUnified)
        {
            foreach (CgroupSetting setting in ResourceSettings.ForVersion1(resources))
            {
                if (!_groups.Any(group => group.Mount.Controllers.Contains(setting.Controller)))
                {
                    skipped.Add($"linux.resources ({setting.File}: this host has no such controller)");
                }
            }
        }

        return skipped;
    }

    /// <summary>Files to which a process writes 0 to become a member of each group.</summary>
    public IReadOnlyList<string> MemberFiles => [.. _groups.Select(static group => Path.Combine(group.Path, "cgroup.procs"))];

    /// <summary>Stops or resumes all members.</summary>
    /// <returns>False if the host has no freezer for them.</returns>
    public static bool TryFreeze(IReadOnlyList<string> paths, bool isFrozen)
    {
        foreach (string path in paths)
        {
            string version1 = Path.Combine(path, "freezer.state");
            string version2 = Path.Combine(path, "cgroup.freeze");
            string state = isFrozen ? "FROZEN" : "THAWED";
            try
            {
                if (File.Exists(version1))
                {
                    for (int i = 0; i < 200; i++)
                    {
                        File.WriteAllText(version1, state);
                        if (File.ReadAllText(version1).Trim() == state)
                        {
                            return true;
                        }

                        Thread.Sleep(5); // FREEZING: a member is in a call that takes its time
                    }

                    File.WriteAllText(version1, "THAWED");
                    return false;
                }

                if (File.Exists(version2))
                {
                    File.WriteAllText(version2, isFrozen ? "1" : "0");
                    return true;
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return false;
            }
        }

        return false;
    }

    /// <summary>Removes groups, waiting a little for members that are just ending, and kills none but those that are left after that.</summary>
    /// <exception cref="RuntimeException">One cannot be removed.</exception>
    public static void Remove(IReadOnlyList<string> paths)
    {
        foreach (string path in paths)
        {
            for (int attempt = 0; Directory.Exists(path); attempt++)
            {
                try
                {
                    RemoveTree(path);
                }
                catch (DirectoryNotFoundException)
                {
                    break;
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException)
                {
                    if (attempt == 100)
                    {
                        throw new RuntimeException($"cannot remove cgroup {path}: {HostFault.Describe(e)}", e);
                    }

                    Thread.Sleep(attempt < 10 ? 1 : 20);
                }
            }
        }
    }

    // Files of a cgroup cannot be deleted, so only directories are, innermost first.
    private static void RemoveTree(string path)
    {
        foreach (string child in Directory.GetDirectories(path))
        {
            RemoveTree(child);
        }

        Directory.Delete(path);
    }

    private static void MakeGroup(CgroupMount mount, string path)
    {
        string current = mount.Path;
        foreach (string part in path[mount.Path.Length..].Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (mount.IsUnified)
            {
                EnableControllers(current);
            }

            string parent = current;
            current = Path.Combine(current, part);
            Directory.CreateDirectory(current);
            if (mount.Controllers.Contains("cpuset"))
            {
                Inherit(parent, current, "cpuset.cpus");
                Inherit(parent, current, "cpuset.mems");
            }
        }
    }

    // Each by itself: one that a parent lacks must not keep the others away.
    private static void EnableControllers(string path)
    {
        foreach (string controller in File.ReadAllText(Path.Combine(path, "cgroup.controllers")).Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries))
        {
            try
            {
                File.WriteAllText(Path.Combine(path, "cgroup.subtree_control"), "+" + controller);
            }
            catch (IOException)
            {
                // Busy: the group has members of its own. A limit that needs the controller fails later, with its file's name.
            }
        }
    }

    // A cpuset of version 1 takes no members before it has processors and memory nodes.
    private static void Inherit(string parent, string child, string file)
    {
        string target = Path.Combine(child, file);
        if (File.ReadAllText(target).Trim().Length == 0)
        {
            File.WriteAllText(target, File.ReadAllText(Path.Combine(parent, file)).Trim());
        }
    }

    private static bool TryWrite(string path, CgroupSetting setting, out string? error)
    {
        string file = Path.Combine(path, setting.File);
        error = null;
        if (!File.Exists(file))
        {
            error = "this kernel does not have it";
            return false;
        }

        try
        {
            using FileStream stream = new(file, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
            stream.Write(System.Text.Encoding.ASCII.GetBytes(setting.Value));
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            error = HostFault.Describe(e);
            return false;
        }
    }
}
