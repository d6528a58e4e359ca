using Moat.Kernel;
using Moat.Kernel.Namespaces;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.Synthetic;

/// <summary>/proc/sys/net or /sys/devices/virtual/net and what is below: settings of the network of whoever looks, with folders for its interfaces.</summary>
/// <param name="filesystem">Where it is.</param>
/// <param name="settings">Which settings of a network; keeps no state.</param>
/// <param name="prefix">The path of its settings with a slash at the end; empty for the top.</param>
internal sealed class NetworkSettingDirectory(SyntheticFilesystem filesystem, Func<NetworkNamespace, INetworkSettings> settings, string prefix) : SyntheticDirectory(filesystem, (Mode)0x16D)
{
    private const ulong FirstNumber = 0x200000; // stand-ins for inode numbers in listings

    /// <inheritdoc/>
    public override Result<Inode> Lookup(GuestTask? task, FileName name)
    {
        if (task is null)
        {
            return Errno.ENOENT;
        }

        INetworkSettings found = settings(task.Network);
        string wanted = prefix + name;
        string folder = wanted + "/";
        foreach (string path in found.Paths)
        {
            if (path == wanted)
            {
                return new NetworkSettingFile((SyntheticFilesystem)Filesystem, settings, path, found.IsWritable(path));
            }

            if (path.StartsWith(folder, StringComparison.Ordinal))
            {
                return new NetworkSettingDirectory((SyntheticFilesystem)Filesystem, settings, folder);
            }
        }

        return Errno.ENOENT;
    }

    /// <inheritdoc/>
    public override IReadOnlyList<SyntheticEntry> List(GuestTask task)
    {
        List<SyntheticEntry> entries = [];
        HashSet<string> seen = [];
        foreach (string path in settings(task.Network).Paths)
        {
            if (!path.StartsWith(prefix, StringComparison.Ordinal))
            {
                continue;
            }

            int slash = path.IndexOf('/', prefix.Length);
            string name = slash < 0 ? path[prefix.Length..] : path[prefix.Length..slash];
            if (seen.Add(name))
            {
                entries.Add(new SyntheticEntry(new FileName(name), FirstNumber + (ulong)entries.Count, slash < 0 ? Mode.S_IFREG : Mode.S_IFDIR));
            }
        }

        return entries;
    }

    /// <inheritdoc/>
    public override bool Revalidate(FileName name, Inode? child) => false; // the next one who looks may be in another network
}
