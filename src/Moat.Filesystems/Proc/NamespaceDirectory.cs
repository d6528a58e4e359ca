using System.Text;
using Moat.Filesystems.Synthetic;
using Moat.Kernel.Namespaces;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.Proc;

/// <summary>/proc/PID/ns: links that name the task's namespaces.</summary>
internal sealed class NamespaceDirectory(ProcFilesystem proc, GuestTask owner) : SyntheticDirectory(proc, (Mode)0x149)
{
    private static readonly string[] s_kinds = ["cgroup", "ipc", "mnt", "net", "pid", "pid_for_children", "time", "time_for_children", "user", "uts"];

    /// <inheritdoc/>
    public override Result<Inode> Lookup(GuestTask? task, FileName name)
    {
        string kind = name.ToString();
        return Array.IndexOf(s_kinds, kind) >= 0 ? new NamespaceLink(proc, owner, kind) : Errno.ENOENT;
    }

    /// <inheritdoc/>
    public override IReadOnlyList<SyntheticEntry> List(GuestTask task) =>
        Array.ConvertAll(s_kinds, kind => new SyntheticEntry(new FileName(kind), IdOf(owner, kind), Mode.S_IFLNK));

    private static ulong IdOf(GuestTask owner, string kind) => kind switch
    {
        "ipc" => owner.Ipc.Id,
        "uts" => owner.Uts.Id,
        "user" => NamespaceIds.FirstUser,
        "pid" => owner.Pids.Id,
        "pid_for_children" => owner.PidsForChildren.Id,
        "cgroup" => NamespaceIds.FirstCgroup,
        "time" or "time_for_children" => NamespaceIds.FirstTime,
        "mnt" => owner.Fs.MountNamespace.Id,
        _ => owner.FindNetwork()?.Id ?? 0,
    };

    private static ulong CloneFlagOf(string kind) => kind switch
    {
        "ipc" => 0x08000000,
        "uts" => 0x04000000,
        "user" => 0x10000000,
        "pid" or "pid_for_children" => 0x20000000,
        "cgroup" => 0x02000000,
        "time" or "time_for_children" => 0x00000080,
        "mnt" => 0x00020000,
        _ => 0x40000000,
    };

    private sealed class NamespaceLink(ProcFilesystem proc, GuestTask owner, string kind) : SyntheticInode(proc, Mode.S_IFLNK | (Mode)0x1FF)
    {
        // A process that has ended is in no network any more; a namespace without a first process is none yet.
        private bool IsGone => kind switch { "net" => owner.FindNetwork() is null, "ipc" => owner.HasEnded, "pid_for_children" => owner.PidsForChildren.Init is null, _ => false };

        private string Text => $"{kind.Replace("_for_children", "", StringComparison.Ordinal)}:[{IdOf(owner, kind)}]";

        public override Result<byte[]> ReadSymlink(GuestTask? reader) => IsGone ? Errno.ENOENT : Encoding.UTF8.GetBytes(Text);

        public override Result<PathLocation>? FollowMagicLink(GuestTask reader)
        {
            INamespace? ns = kind switch { "mnt" => owner.Fs.MountNamespace, "net" => owner.FindNetwork(), "ipc" => owner.Ipc, "pid" => owner.Pids, "pid_for_children" => owner.PidsForChildren, _ => null };
            if (IsGone)
            {
                return Errno.ENOENT;
            }

            NamespaceFilesystem home = (NamespaceFilesystem)proc.Kernel.NamespaceFiles;
            NamespaceInode inode = new(home, Text, ns?.Id ?? IdOf(owner, kind), CloneFlagOf(kind), ns);
            Dentry dentry = new(null, new FileName(inode.Name), inode);
            return new PathLocation(new Mount(home, dentry) { Source = home.TypeName }, dentry);
        }
    }
}
