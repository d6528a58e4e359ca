using Moat.Filesystems.Synthetic;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.Proc;

/// <summary>/proc/PID, and with fewer entries /proc/PID/task/TID. It stays usable after the process has gone: its files then give ESRCH.</summary>
internal sealed class ProcessDirectory : SyntheticDirectory, IProcessInode
{
    private readonly ProcFilesystem _proc;
    private readonly StaticDirectory _entries;
    private readonly bool _isThread;

    /// <param name="proc">The instance.</param>
    /// <param name="task">The task; for a process its leader.</param>
    /// <param name="isThread">Whether this is below task/.</param>
    public ProcessDirectory(ProcFilesystem proc, GuestTask task, bool isThread = false)
        : base(proc, (Mode)0x16D)
    {
        _proc = proc;
        Task = task;
        _isThread = isThread;
        _entries = new StaticDirectory(proc);
        AddFiles(isThread);
        AddLinks();
        _entries.Add("fd", new FdDirectory(proc, task, informational: false));
        _entries.Add("fdinfo", new FdDirectory(proc, task, informational: true));
        _entries.Add("ns", new NamespaceDirectory(proc, task));
        _entries.Add("net", MakeNetwork(proc));
        if (!isThread)
        {
            _entries.Add("task", new ThreadDirectory(proc, task.ThreadGroup));
        }
    }

    /// <summary>The task it tells of.</summary>
    public GuestTask Task { get; }

    /// <inheritdoc/>
    public ThreadGroup? Process => _isThread || Task.ThreadGroup.Leader != Task ? null : Task.ThreadGroup;

    /// <inheritdoc/>
    protected override NewOwner Owner => new(Task.Credentials.EffectiveUid, Task.Credentials.EffectiveGid);

    /// <inheritdoc/>
    public override Result<Inode> Lookup(GuestTask? task, FileName name) => _entries.Lookup(task, name);

    /// <inheritdoc/>
    public override IReadOnlyList<SyntheticEntry> List(GuestTask task) => _entries.List(task);

    private static StaticDirectory MakeNetwork(ProcFilesystem proc)
    {
        StaticDirectory directory = new(proc);
        directory.Add("unix", new TextFile(proc, _ => "Num       RefCount Protocol Flags    Type St Inode Path\n"));
        if (proc.Kernel.NetworkFiles is { } files)
        {
            foreach (string name in files.Names)
            {
                directory.Add(name, new NetworkFile(proc, files, name));
            }
        }

        return directory;
    }

    private void AddFiles(bool isThread)
    {
        const Mode OwnerOnly = (Mode)0x100; // 0400
        void Add(string name, TaskContent content, Mode mode = (Mode)0x124) => _entries.Add(name, new TaskFile(_proc, Task, content, mode));
        void AddGuarded(string name, TaskContent content, Mode mode = (Mode)0x124) => _entries.Add(name, new TaskFile(_proc, Task, content, mode, isGuarded: true));

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
        Add("stat", StatusFiles.Stat);
        Add("statm", MemoryFiles.Statm);
        Add("status", StatusFiles.Status);
        AddGuarded("syscall", TaskLists.Syscall, OwnerOnly);
        Add("uid_map", (_, text) => text.AppendLine("         0          0 4294967295"));
        Add("wchan", (_, text) => text.Append("0"));
        if (isThread)
        {
            Add("children", TaskLists.Children);
        }

        _entries.Add("comm", new CommFile(_proc, Task));
        _entries.Add("oom_score_adj", new OomScoreFile(_proc, Task));
    }

    private void AddLinks()
    {
        _entries.Add("cwd", new TaskLink(_proc, Task, static task => task.Fs.WorkingDirectory));
        _entries.Add("root", new TaskLink(_proc, Task, static task => task.Fs.Root));
        _entries.Add("exe", new TaskLink(_proc, Task, static task => task.Memory.ExecutableFile?.Location));
    }
}
