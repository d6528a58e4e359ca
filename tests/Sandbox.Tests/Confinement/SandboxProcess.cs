namespace Moat.Sandbox.Tests.Confinement;

/// <summary>A process of the host, as /proc shows it.</summary>
internal sealed record SandboxProcess(int Pid, string CommandLine)
{
    /// <summary>A process and all that come from it. Zombies are left out.</summary>
    public static List<SandboxProcess> Tree(int root)
    {
        Dictionary<int, int> parents = [];
        foreach (string folder in Directory.GetDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), out int pid) && TryRead(Path.Combine(folder, "stat")) is { Length: > 0 } stat)
            {
                string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
                if (fields[0] is not ("Z" or "X"))
                {
                    parents[pid] = int.Parse(fields[1], System.Globalization.CultureInfo.InvariantCulture);
                }
            }
        }

        List<SandboxProcess> tree = [];
        Add(root);
        return tree;

        void Add(int pid)
        {
            tree.Add(new SandboxProcess(pid, TryRead($"/proc/{pid}/cmdline").Replace('\0', ' ').Trim()));
            foreach ((int child, int parent) in parents)
            {
                if (parent == pid)
                {
                    Add(child);
                }
            }
        }
    }

    /// <summary>Whether all its threads wait for something, or are stopped by who traces them.</summary>
    public bool Sleeps()
    {
        try
        {
            return Directory.GetDirectories($"/proc/{Pid}/task").All(static task => TryRead(Path.Combine(task, "stat")) is { Length: > 0 } stat && stat[stat.LastIndexOf(')') + 2] is 'S' or 't');
        }
        catch (DirectoryNotFoundException)
        {
            return false; // gone meanwhile
        }
    }

    /// <summary>A field of status.</summary>
    public string Status(string name) =>
        File.ReadLines($"/proc/{Pid}/status").First(line => line.StartsWith(name + ":", StringComparison.Ordinal))[(name.Length + 1)..].Trim();

    /// <summary>A namespace, such as user:[4026531837].</summary>
    public string Namespace(string name) => new FileInfo($"/proc/{Pid}/ns/{name}").LinkTarget!;

    /// <summary>A file of its directory.</summary>
    public string Read(string name) => File.ReadAllText($"/proc/{Pid}/{name}");

    /// <summary>Its descriptors: where each leads, and its flags (O_*).</summary>
    public IReadOnlyList<(int Number, string Target, int Flags)> Descriptors()
    {
        List<(int, string, int)> list = [];
        foreach (FileInfo entry in new DirectoryInfo($"/proc/{Pid}/fd").GetFiles())
        {
            string? target = entry.LinkTarget;
            string? flags = TryRead($"/proc/{Pid}/fdinfo/{entry.Name}").Split('\n').FirstOrDefault(static line => line.StartsWith("flags:", StringComparison.Ordinal));
            if (target is not null && flags is not null) // otherwise closed meanwhile: a control connection
            {
                list.Add((int.Parse(entry.Name, System.Globalization.CultureInfo.InvariantCulture), target, Convert.ToInt32(flags[6..].Trim(), 8)));
            }
        }

        return list;
    }

    private static string TryRead(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return ""; // gone meanwhile
        }
    }
}
