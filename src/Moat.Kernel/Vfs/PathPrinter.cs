using Moat.Linux;

namespace Moat.Kernel.Vfs;

/// <summary>Turns a place back into a path, as getcwd(2) and /proc show it.</summary>
public static class PathPrinter
{
    /// <summary>The path of a dentry within its filesystem, as /proc/PID/mountinfo shows what a mount begins with.</summary>
    public static byte[] PrintWithin(Dentry dentry)
    {
        List<FileName> names = [];
        for (Dentry at = dentry; !at.IsRoot; at = at.Parent)
        {
            names.Add(at.Name);
        }

        return Join(names, dentry.IsUnlinked);
    }

    /// <summary>The path of a place seen from a root.</summary>
    /// <param name="root">The root of whoever asks.</param>
    /// <param name="location">The place.</param>
    /// <param name="isReachable">Whether the place lies below the root.</param>
    public static byte[] Print(PathLocation root, PathLocation location, out bool isReachable)
    {
        List<FileName> names = [];
        bool deleted = false;
        PathLocation at = location;
        isReachable = true;
        while (at != root)
        {
            if (at.Dentry == at.Mount.Root)
            {
                if (at.Mount.Point is not { } point)
                {
                    isReachable = false;
                    break;
                }

                at = point;
                continue;
            }

            deleted |= at.Dentry.IsUnlinked;
            names.Add(at.Dentry.Name);
            at = new PathLocation(at.Mount, at.Dentry.Parent);
        }

        return Join(names, deleted);
    }

    // The names come from the last to the first.
    private static byte[] Join(List<FileName> names, bool deleted)
    {
        using MemoryStream path = new();
        for (int i = names.Count - 1; i >= 0; i--)
        {
            path.WriteByte((byte)'/');
            path.Write(names[i].Bytes);
        }

        if (names.Count == 0)
        {
            path.WriteByte((byte)'/');
        }

        if (deleted)
        {
            path.Write(" (deleted)"u8);
        }

        return path.ToArray();
    }
}
