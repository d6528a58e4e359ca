using System.Text;
using Moat.Filesystems.Synthetic;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.Proc;

/// <summary>/proc/PID/ns: links that name the task's namespaces.</summary>
internal sealed class NamespaceDirectory(ProcFilesystem proc) : SyntheticDirectory(proc, (Mode)0x149)
{
    private static readonly string[] s_kinds = ["cgroup", "ipc", "mnt", "net", "pid", "pid_for_children", "user", "uts"];

    /// <inheritdoc/>
    public override Result<Inode> Lookup(GuestTask? task, FileName name)
    {
        string kind = name.ToString();
        return Array.IndexOf(s_kinds, kind) >= 0 ? new NamespaceLink(proc, kind) : Errno.ENOENT;
    }

    /// <inheritdoc/>
    public override IReadOnlyList<SyntheticEntry> List(GuestTask task) =>
        Array.ConvertAll(s_kinds, kind => new SyntheticEntry(new FileName(kind), IdOf(kind), Mode.S_IFLNK));

    // One namespace of each kind so far: the numbers are those of Linux's initial ones.
    private static ulong IdOf(string kind) => kind switch
    {
        "ipc" => 4026531839,
        "uts" => 4026531838,
        "user" => 4026531837,
        "pid" or "pid_for_children" => 4026531836,
        "cgroup" => 4026531835,
        "mnt" => 4026531841,
        _ => 4026531840,
    };

    private sealed class NamespaceLink(ProcFilesystem proc, string kind) : SyntheticInode(proc, Mode.S_IFLNK | (Mode)0x1FF)
    {
        public override Result<byte[]> ReadSymlink(GuestTask? reader) =>
            Encoding.UTF8.GetBytes($"{(kind == "pid_for_children" ? "pid" : kind)}:[{IdOf(kind)}]");
    }
}
