using Moat.Linux;

namespace Moat.Kernel.Vfs;

/// <summary>A tree of mounts (mount_namespaces(7)). Any thread.</summary>
public sealed class MountNamespace
{
    /// <summary>fs.mount-max.</summary>
    private const int MaxMounts = 100_000;

    private readonly Lock _lock = new();
    private readonly List<Mount> _mounts = []; // guarded by _lock, in the order they were made
    private int _lastId = 20; // guarded by _lock

    /// <param name="root">The mount that is "/".</param>
    public MountNamespace(Mount root)
    {
        Root = root;
        root.Id = ++_lastId;
        _mounts.Add(root);
    }

    /// <summary>The mount that is "/".</summary>
    public Mount Root { get; }

    /// <summary>The top of the tree.</summary>
    public PathLocation RootLocation => new(Root, Root.Root);

    /// <summary>Puts a mount on a place; what was mounted there is covered.</summary>
    /// <returns>ENOSPC when there are too many.</returns>
    public Errno Attach(Mount mount, PathLocation point)
    {
        lock (_lock)
        {
            if (_mounts.Count >= MaxMounts)
            {
                return Errno.ENOSPC;
            }

            mount.Id = ++_lastId;
            mount.Point = point;
            point.Dentry.MountCount++;
            _mounts.Add(mount);
            return Errno.None;
        }
    }

    /// <summary>umount2(2).</summary>
    /// <param name="mount">The mount.</param>
    /// <param name="detach">MNT_DETACH: also while it is in use.</param>
    /// <returns>EBUSY; EINVAL for the root.</returns>
    public Errno Detach(Mount mount, bool detach)
    {
        lock (_lock)
        {
            if (mount.Point is not { } point)
            {
                return Errno.EINVAL;
            }

            bool hasChildren = _mounts.Exists(other => other.Point is { } place && place.Mount == mount);
            if (!detach && (mount.IsBusy || hasChildren))
            {
                return Errno.EBUSY;
            }

            RemoveTree(mount);
            point.Dentry.MountCount--;
            return Errno.None;
        }
    }

    /// <summary>The mount on top of a place, if there is one.</summary>
    public Mount? FindAt(PathLocation point)
    {
        if (point.Dentry.MountCount == 0)
        {
            return null;
        }

        lock (_lock)
        {
            return _mounts.FindLast(mount => mount.Point is { } place && place == point);
        }
    }

    /// <summary>All mounts, in the order they were made.</summary>
    public IReadOnlyList<Mount> List()
    {
        lock (_lock)
        {
            return [.. _mounts];
        }
    }

    private void RemoveTree(Mount mount)
    {
        foreach (Mount child in _mounts.FindAll(other => other.Point is { } place && place.Mount == mount))
        {
            child.Point!.Value.Dentry.MountCount--;
            RemoveTree(child);
        }

        _mounts.Remove(mount);
    }
}
