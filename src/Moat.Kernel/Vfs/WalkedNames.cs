using Moat.Linux;

namespace Moat.Kernel.Vfs;

/// <summary>Has a filesystem that must be asked again find out the next names of a path in one go, and brings the dentry cache up to date with that.</summary>
internal static class WalkedNames
{
    /// <summary>Asks.</summary>
    /// <param name="directory">Where the walk stands.</param>
    /// <param name="path">The rest of the path.</param>
    /// <returns>How many of the next names can be taken from the cache as they are.</returns>
    public static int Refresh(Dentry directory, ReadOnlySpan<byte> path)
    {
        if (directory.Inode!.WalkAhead(path) is not { } walked)
        {
            return 0;
        }

        Dentry at = directory;
        ReadOnlySpan<byte> rest = path;
        for (int i = 0; i < walked.Count; i++)
        {
            int end = rest.IndexOf((byte)'/');
            ReadOnlySpan<byte> name = end < 0 ? rest : rest[..end];
            rest = rest[name.Length..].TrimStart((byte)'/');
            if (Update(at, name, walked, i) is not { } child)
            {
                return i;
            }

            if (child.Inode is null)
            {
                return i + 1;
            }

            at = child;
        }

        return walked.Count;
    }

    private static Dentry? Update(Dentry directory, ReadOnlySpan<byte> name, IWalkedPath walked, int index)
    {
        lock (directory.Inode!.DirectoryLock)
        {
            FileName? key = null;
            Dentry? child = directory.FindChild(name) ?? directory.FindEvicted(key = new FileName(name));
            if (child is not null && walked.Matches(index, child.Inode))
            {
                return child;
            }

            if (directory.IsUnlinked || child is { MountCount: > 0 })
            {
                return null; // what is mounted on it stays in place
            }

            if (child is not null)
            {
                directory.RemoveChild(child);
            }

            key ??= new FileName(name);
            return directory.AddChild(key, walked.Make(index, directory.Inode, key));
        }
    }
}
