using Moat.Host;
using Moat.Linux;

namespace Moat.Gofer;

/// <summary>What the files of an export have in common.</summary>
internal sealed class HostTree
{
    private HostTree(int descriptorsFd, bool isReadOnly)
    {
        DescriptorsFd = descriptorsFd;
        IsReadOnly = isReadOnly;
    }

    /// <summary>The process's own /proc/self/fd, as a mount of its own: nothing but descriptors can be reached from it.</summary>
    public int DescriptorsFd { get; }

    /// <summary>For reading directories. A tree is served by one thread.</summary>
    public byte[] ListBuffer { get; } = new byte[32 << 10];

    /// <summary>Whether nothing may be written.</summary>
    public bool IsReadOnly { get; }

    /// <summary>The root's device.</summary>
    public ulong RootDevice { get; private set; }

    /// <summary>The root's inode number.</summary>
    public ulong RootInode { get; private set; }

    /// <summary>Opens a tree.</summary>
    /// <param name="path">Its root.</param>
    /// <param name="descriptorsFd">See <see cref="DescriptorsFd"/>.</param>
    /// <param name="isReadOnly">Whether nothing may be written.</param>
    public static Result<HostNinePFile> Open(string path, int descriptorsFd, bool isReadOnly)
    {
        HostTree tree = new(descriptorsFd, isReadOnly);
        if (!HostNinePFile.OpenRoot(tree, path).TryGet(out HostNinePFile? root, out Errno errno))
        {
            return errno;
        }

        if (!HostFile.OpenAt(HostFile.CurrentDirectory, System.Text.Encoding.UTF8.GetBytes(path), OpenFlags.O_PATH).TryGet(out int fd, out errno)
            || !HostFile.Stat(fd).TryGet(out HostStat stat, out errno))
        {
            return errno;
        }

        HostMemory.Close(fd);
        tree.RootDevice = stat.Device;
        tree.RootInode = stat.Inode;
        return root;
    }
}
