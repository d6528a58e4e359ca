using Moat.Filesystems.Synthetic;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.Sys;

/// <summary>/sys/class/net: links to the folders of the interfaces that the network of whoever looks has.</summary>
internal sealed class NetworkClassDirectory(SysFilesystem sys) : SyntheticDirectory(sys, (Mode)0x16D)
{
    private const ulong FirstNumber = 0x300000; // stand-ins for inode numbers in listings

    /// <inheritdoc/>
    public override Result<Inode> Lookup(GuestTask? task, FileName name)
    {
        string wanted = name.ToString();
        return task is not null && NamesFor(task).Contains(wanted) ? new SyntheticSymlink(sys, _ => "../../devices/virtual/net/" + wanted) : Errno.ENOENT;
    }

    /// <inheritdoc/>
    public override IReadOnlyList<SyntheticEntry> List(GuestTask task)
    {
        List<SyntheticEntry> entries = [];
        foreach (string name in NamesFor(task))
        {
            entries.Add(new SyntheticEntry(new FileName(name), FirstNumber + (ulong)entries.Count, Mode.S_IFLNK));
        }

        return entries;
    }

    /// <inheritdoc/>
    public override bool Revalidate(FileName name, Inode? child) => false; // the next one who looks may be in another network

    private static List<string> NamesFor(GuestTask task)
    {
        List<string> names = [];
        foreach (string path in task.Network.Devices.Paths)
        {
            string name = path[..path.IndexOf('/', StringComparison.Ordinal)];
            if (names.Count == 0 || names[^1] != name)
            {
                names.Add(name); // the paths of one stand together
            }
        }

        return names;
    }
}
