using Moat.Linux;

namespace Moat.Kernel.Vfs;

/// <summary>Turns a place back into a path, as getcwd(2) and /proc show it.</summary>
public static class PathPrinter
{
    private const int UsualLength = 512;

    /// <summary>The path of a dentry within its filesystem, as /proc/PID/mountinfo shows what a mount begins with.</summary>
    public static byte[] PrintWithin(Dentry dentry)
    {
        ReversedPath path = new(stackalloc byte[UsualLength]);
        if (dentry.IsUnlinked)
        {
            path.MarkDeleted();
        }

        if (dentry.IsRoot)
        {
            path.Prepend("/"u8);
        }

        for (Dentry at = dentry; !at.IsRoot; at = at.Parent)
        {
            path.PrependName(at.Name);
        }

        return path.Text.ToArray();
    }

    /// <summary>The path of a place seen from a root.</summary>
    /// <param name="root">The root of whoever asks.</param>
    /// <param name="location">The place.</param>
    /// <param name="isReachable">Whether the place lies below the root.</param>
    public static byte[] Print(PathLocation root, PathLocation location, out bool isReachable)
    {
        ReversedPath path = new(stackalloc byte[UsualLength]);
        Print(root, location, ref path, out isReachable);
        return path.Text.ToArray();
    }

    /// <summary>The path of a place seen from a root, into a buffer of the caller's.</summary>
    /// <param name="root">The root of whoever asks.</param>
    /// <param name="location">The place.</param>
    /// <param name="buffer">Where it goes.</param>
    /// <param name="isReachable">Whether the place lies below the root.</param>
    /// <returns>Its length; 0 if the buffer is too small.</returns>
    public static int Print(PathLocation root, PathLocation location, Span<byte> buffer, out bool isReachable)
    {
        ReversedPath path = new(stackalloc byte[UsualLength]);
        Print(root, location, ref path, out isReachable);
        return path.Text.TryCopyTo(buffer) ? path.Text.Length : 0;
    }

    private static void Print(PathLocation root, PathLocation location, ref ReversedPath path, out bool isReachable)
    {
        isReachable = true;
        if (IsDeleted(root, location))
        {
            path.MarkDeleted();
        }

        bool isTop = true;
        PathLocation at = location;
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

            path.PrependName(at.Dentry.Name);
            isTop = false;
            at = new PathLocation(at.Mount, at.Dentry.Parent);
        }

        if (isTop)
        {
            path.Prepend("/"u8);
        }
    }

    // Whether a name on the way has been taken away.
    private static bool IsDeleted(PathLocation root, PathLocation location)
    {
        PathLocation at = location;
        while (at != root)
        {
            if (at.Dentry == at.Mount.Root)
            {
                if (at.Mount.Point is not { } point)
                {
                    return false;
                }

                at = point;
                continue;
            }

            if (at.Dentry.IsUnlinked)
            {
                return true;
            }

            at = new PathLocation(at.Mount, at.Dentry.Parent);
        }

        return false;
    }
}
