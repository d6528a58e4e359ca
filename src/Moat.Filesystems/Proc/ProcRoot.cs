using System.Buffers.Text;
using System.Globalization;
using Moat.Filesystems.Synthetic;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.Proc;

/// <summary>/proc itself: the system's files, and a directory for each process that the reader's pid namespace shows.</summary>
internal sealed class ProcRoot : SyntheticDirectory
{
    private readonly ProcFilesystem _proc;
    private readonly StaticDirectory _files;

    public ProcRoot(ProcFilesystem proc)
        : base(proc, (Mode)0x16D)
    {
        _proc = proc;
        _files = new StaticDirectory(proc);
        SystemFiles.AddTo(_files, proc);
        _files.Add("locks", new LocksFile(proc));
        _files.Add("mounts", new SyntheticSymlink(proc, _ => "self/mounts"));
        _files.Add("net", new SyntheticSymlink(proc, _ => "self/net"));
        _files.Add("self", new SyntheticSymlink(proc, task => PidOf(task?.ThreadGroup.Id.In(proc.Pids))));
        _files.Add("thread-self", new SyntheticSymlink(proc, ThreadSelf));
        _files.Add("sys", SysctlTree.Make(proc));
    }

    /// <inheritdoc/>
    public override Result<Inode> Lookup(GuestTask? task, FileName name)
    {
        if (_files.Lookup(task, name).TryGet(out Inode? file, out _))
        {
            return file;
        }

        // Threads that are no leaders can be looked up, but are not listed (proc(5)).
        return TryParsePid(name, out int pid) && _proc.Pids.FindTask(pid) is { } found
            ? new ProcessDirectory(_proc, found)
            : Errno.ENOENT;
    }

    /// <inheritdoc/>
    public override IReadOnlyList<SyntheticEntry> List(GuestTask task)
    {
        List<SyntheticEntry> entries = [.. _files.List(task)];
        foreach (ThreadGroup group in _proc.Pids.ListProcesses())
        {
            int pid = group.Id.In(_proc.Pids);
            entries.Add(new SyntheticEntry(new FileName(pid.ToString(CultureInfo.InvariantCulture)), (ulong)pid + 0x1000, Mode.S_IFDIR));
        }

        return entries;
    }

    /// <inheritdoc/>
    public override bool Revalidate(FileName name, Inode? child) =>
        child is not ProcessDirectory process
            ? child is not null || !TryParsePid(name, out _)
            : TryParsePid(name, out int pid) && _proc.Pids.FindTask(pid) == process.Task;

    /// <summary>Parses a decimal number without sign or leading zero.</summary>
    internal static bool TryParsePid(FileName name, out int pid) =>
        Utf8Parser.TryParse(name.Bytes, out pid, out int used) && used == name.Length && pid > 0 && name.Bytes[0] is not ((byte)'0' or (byte)'+');

    private static string? PidOf(int? pid) => pid is > 0 ? pid.Value.ToString(CultureInfo.InvariantCulture) : null;

    private string? ThreadSelf(GuestTask? task) =>
        PidOf(task?.Id.In(_proc.Pids)) is { } tid ? $"{PidOf(task!.ThreadGroup.Id.In(_proc.Pids))}/task/{tid}" : null;
}
