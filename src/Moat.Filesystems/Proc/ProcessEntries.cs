using Moat.Filesystems.Synthetic;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.Proc;

/// <summary>What is in the directory of a process or of a thread. An entry's inode is made when it is looked up: a process has dozens, of which few are ever wanted.</summary>
internal sealed class ProcessEntries
{
    private const ulong FirstNumber = 0x100; // stand-ins for inode numbers in listings

    private readonly Dictionary<FileName, Func<ProcFilesystem, GuestTask, SyntheticInode>> _makers = new(FileNameComparer.Instance);
    private readonly List<SyntheticEntry> _list = [];

    private ProcessEntries(bool isThread)
    {
        AddFiles(isThread);
        AddLinks();
        Add("fd", Mode.S_IFDIR, static (proc, task) => new FdDirectory(proc, task, informational: false));
        Add("fdinfo", Mode.S_IFDIR, static (proc, task) => new FdDirectory(proc, task, informational: true));
        Add("ns", Mode.S_IFDIR, static (proc, task) => new NamespaceDirectory(proc, task));
        Add("net", Mode.S_IFDIR, MakeNetwork);
        if (!isThread)
        {
            Add("task", Mode.S_IFDIR, static (proc, task) => new ThreadDirectory(proc, task.ThreadGroup));
        }
    }

    /// <summary>Of /proc/PID.</summary>
    public static ProcessEntries OfProcesses { get; } = new(isThread: false);

    /// <summary>Of /proc/PID/task/TID.</summary>
    public static ProcessEntries OfThreads { get; } = new(isThread: true);

    /// <summary>The entries, for a listing.</summary>
    public IReadOnlyList<SyntheticEntry> List => _list;

    /// <summary>Makes the inode of an entry; null if there is none of this name.</summary>
    public SyntheticInode? Make(FileName name, ProcFilesystem proc, GuestTask task) => _makers.TryGetValue(name, out Func<ProcFilesystem, GuestTask, SyntheticInode>? maker) ? maker(proc, task) : null;

    private static StaticDirectory MakeNetwork(ProcFilesystem proc, GuestTask task)
    {
        StaticDirectory directory = new(proc);
        foreach (string name in task.FindNetwork()?.Files.Names ?? [])
        {
            directory.Add(name, new NetworkFile(proc, task, name));
        }

        return directory;
    }

    private void Add(string name, Mode type, Func<ProcFilesystem, GuestTask, SyntheticInode> maker)
    {
        FileName key = new(name);
        _makers.Add(key, maker);
        _list.Add(new SyntheticEntry(key, FirstNumber + (ulong)_list.Count, type));
    }

    private void Add(string name, TaskContent content, Mode mode = (Mode)0x124, bool isGuarded = false) =>
        Add(name, Mode.S_IFREG, (proc, task) => new TaskFile(proc, task, content, mode, isGuarded));

    // Tells ids, as whoever mounted the filesystem numbers them.
    private void AddNumbered(string name, Action<GuestTask, PidNamespace, SyntheticText> content) =>
        Add(name, Mode.S_IFREG, (proc, task) => new TaskFile(proc, task, (shown, text) => content(shown, proc.Pids, text), (Mode)0x124));

    private void AddGuarded(string name, TaskContent content, Mode mode = (Mode)0x124) => Add(name, content, mode, isGuarded: true);

    private void AddFiles(bool isThread)
    {
        const Mode OwnerOnly = (Mode)0x100; // 0400
        AddGuarded("auxv", MemoryFiles.AuxiliaryVector, OwnerOnly);
        Add("cgroup", (_, text) => text.AppendLine("0::/"));
        Add("cpuset", (_, text) => text.AppendLine("/"));
        Add("cmdline", MemoryFiles.CommandLine);
        AddGuarded("environ", MemoryFiles.Environment, OwnerOnly);
        Add("gid_map", (_, text) => text.AppendLine("         0          0 4294967295"));
        AddGuarded("io", TaskLists.Io(isThread), OwnerOnly);
        Add("limits", StatusFiles.Limits);
        Add("loginuid", (_, text) => text.Append("4294967295"));
        AddGuarded("maps", MemoryFiles.Maps);
        Add("mountinfo", MountFiles.MountInfo);
        Add("mounts", MountFiles.Mounts);
        Add("mountstats", MountFiles.MountStatistics, OwnerOnly);
        Add("oom_score", (_, text) => text.AppendLine("0"));
        AddGuarded("personality", (_, text) => text.AppendLine("00000000"), OwnerOnly);
        Add("projid_map", (_, text) => text.AppendLine("         0          0 4294967295"));
        Add("schedstat", TaskLists.SchedulerStatistics);
        Add("sessionid", (_, text) => text.Append("4294967295"));
        Add("setgroups", (_, text) => text.AppendLine("allow"));
        AddGuarded("smaps", SmapsFiles.Smaps);
        AddGuarded("smaps_rollup", SmapsFiles.Rollup);
        AddNumbered("stat", StatusFiles.Stat);
        Add("statm", MemoryFiles.Statm);
        AddNumbered("status", StatusFiles.Status);
        AddGuarded("syscall", TaskLists.Syscall, OwnerOnly);
        Add("uid_map", (_, text) => text.AppendLine("         0          0 4294967295"));
        Add("wchan", (_, text) => text.Append("0"));
        if (isThread)
        {
            AddNumbered("children", TaskLists.Children);
        }

        Add("comm", Mode.S_IFREG, static (proc, task) => new CommFile(proc, task));
        Add("mem", Mode.S_IFREG, static (proc, task) => new MemoryAccessFile(proc, task));
        Add("oom_score_adj", Mode.S_IFREG, static (proc, task) => new OomScoreFile(proc, task));
    }

    private void AddLinks()
    {
        AddLink("cwd", static task => task.Fs.WorkingDirectory);
        AddLink("root", static task => task.Fs.Root);
        AddLink("exe", static task => task.Memory.ExecutableFile?.Location);
    }

    private void AddLink(string name, Func<GuestTask, PathLocation?> place) => Add(name, Mode.S_IFLNK, (proc, task) => new TaskLink(proc, task, place));
}
