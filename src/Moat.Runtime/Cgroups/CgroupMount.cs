namespace Moat.Runtime.Cgroups;

/// <summary>A mounted cgroup hierarchy of the host.</summary>
/// <param name="Path">Where it is mounted.</param>
/// <param name="Controllers">Its controllers: names of version 1 (name=systemd among them), none for version 2.</param>
/// <param name="IsUnified">Whether it is version 2.</param>
internal sealed record CgroupMount(string Path, IReadOnlyList<string> Controllers, bool IsUnified)
{
    private static readonly string[] s_known =
    [
        "cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids", "hugetlb", "net_cls", "net_prio", "perf_event", "rdma", "misc",
    ];

    /// <summary>Finds the hierarchies in the text of /proc/self/mountinfo (proc(5)). In hybrid mode version 2 carries no controllers and is left out.</summary>
    public static IReadOnlyList<CgroupMount> Parse(string mountInfo)
    {
        List<CgroupMount> version1 = [];
        CgroupMount? unified = null;
        foreach (string line in mountInfo.Split('\n'))
        {
            string[] halves = line.Split(" - ", 2);
            string[] left = halves[0].Split(' ');
            string[] right = halves.Length == 2 ? halves[1].Split(' ') : [];
            if (left.Length < 5 || right.Length < 3)
            {
                continue;
            }

            if (right[0] == "cgroup2")
            {
                unified ??= new CgroupMount(left[4], [], true);
            }
            else if (right[0] == "cgroup")
            {
                string[] controllers = [.. right[2].Split(',').Where(static option => s_known.Contains(option) || option.StartsWith("name=", StringComparison.Ordinal))];
                if (controllers.Length > 0 && !version1.Exists(known => known.Controllers.SequenceEqual(controllers)))
                {
                    version1.Add(new CgroupMount(left[4], controllers, false));
                }
            }
        }

        return version1.Count > 0 ? version1 : unified is null ? [] : [unified];
    }

    /// <summary>The path of a process in this hierarchy, from the text of /proc/PID/cgroup (cgroups(7)); / if it is not listed.</summary>
    public string FindProcess(string processCgroups)
    {
        foreach (string line in processCgroups.Split('\n'))
        {
            string[] fields = line.Split(':', 3);
            if (fields.Length == 3 && (IsUnified ? fields[0] == "0" && fields[1].Length == 0 : fields[1].Split(',').Intersect(Controllers).Any()))
            {
                return fields[2];
            }
        }

        return "/";
    }
}
