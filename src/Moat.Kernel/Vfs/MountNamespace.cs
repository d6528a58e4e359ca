using Moat.Collections;
using Moat.Kernel.Namespaces;
using Moat.Linux;

namespace Moat.Kernel.Vfs;

/// <summary>A tree of mounts (mount_namespaces(7)). Any thread.</summary>
/// <remarks>Namespaces that were copied from one another have one lock, since a change in one can propagate to others.</remarks>
public sealed class MountNamespace : INamespace
{
    /// <summary>fs.mount-max.</summary>
    private const int MaxMounts = 100_000;

    private readonly MountForest _forest;
    private readonly List<Mount> _mounts = []; // guarded by the forest's lock, in the order they were made
    private readonly Dictionary<PathLocation, Mount> _at = []; // guarded by the forest's lock: what stands on a place
    private UserCount _users;

    /// <summary>The first tree of a container, which keeps it.</summary>
    /// <param name="root">The mount that is "/".</param>
    /// <param name="id">Its number.</param>
    /// <param name="ids">Numbers for its copies.</param>
    public MountNamespace(Mount root, ulong id, NamespaceIds ids)
        : this(root, id, new MountForest(ids)) => AddUser();

    private MountNamespace(Mount root, ulong id, MountForest forest)
    {
        _forest = forest;
        Id = id;
        Root = root;
        Add(root);
    }

    /// <inheritdoc/>
    public ulong Id { get; }

    /// <inheritdoc/>
    public ulong CloneFlag => Tasks.CloneRequest.NewMounts;

    /// <summary>The mount that is "/"; changed by pivot_root(2).</summary>
    public Mount Root { get; private set; }

    /// <summary>The top of the tree.</summary>
    public PathLocation RootLocation => new(Root, Root.Root);

    /// <summary>A task or a descriptor uses it.</summary>
    public void AddUser() => _users.Add();

    /// <inheritdoc/>
    public bool TryAddUser() => _users.TryAdd();

    /// <summary>Ends what <see cref="AddUser"/> began; the last one takes the tree down.</summary>
    public void RemoveUser()
    {
        if (!_users.RemoveLast())
        {
            return;
        }

        lock (_forest.Lock)
        {
            foreach (Mount mount in _mounts.ToArray())
            {
                RemoveOne(mount);
            }
        }
    }

    /// <summary>Puts a mount on a place, or on top of what is mounted there; under a shared mount its peers get copies.</summary>
    /// <returns>ENOSPC when there are too many.</returns>
    public Errno Attach(Mount mount, PathLocation point)
    {
        lock (_forest.Lock)
        {
            return AttachLocked([(mount, point)]);
        }
    }

    /// <summary>mount(2) with MS_BIND: shows a place, and with <paramref name="recursive"/> what is mounted below it, at another place as well.</summary>
    /// <returns>EINVAL for an unbindable mount or one of another namespace; ENOSPC.</returns>
    public Errno Bind(PathLocation source, PathLocation point, bool recursive)
    {
        lock (_forest.Lock)
        {
            if (source.Mount.IsUnbindable || (source.Mount.Namespace != this && !source.Inode.IsBoundFromAnywhere))
            {
                return Errno.EINVAL;
            }

            List<(Mount Mount, PathLocation Point)> tree = [];
            CopyTree(source.Mount, source.Dentry, point, recursive, tree, null);
            return AttachLocked(tree);
        }
    }

    /// <summary>mount(2) with MS_MOVE, arguments checked but for what the tree itself forbids.</summary>
    /// <returns>EINVAL for the root, under a shared mount, or for another namespace; ELOOP into itself.</returns>
    public Errno Move(Mount mount, PathLocation point)
    {
        lock (_forest.Lock)
        {
            if (mount.Namespace != this || mount.Point is not { } before || before.Mount.Peers is not null)
            {
                return Errno.EINVAL;
            }

            for (Mount? at = point.Mount; at is not null; at = at.Point?.Mount)
            {
                if (at == mount)
                {
                    return Errno.ELOOP;
                }
            }

            Unpin(mount);
            Pin(mount, TopOf(point));
            return Errno.None;
        }
    }

    /// <summary>umount2(2) of a mount, and of the copies that propagation made.</summary>
    /// <param name="mount">The mount.</param>
    /// <param name="detach">MNT_DETACH: also while it is in use.</param>
    /// <param name="expire">MNT_EXPIRE: only the second time, and only if it was not used in between.</param>
    /// <returns>EBUSY; EINVAL for the root or another namespace's; EAGAIN the first time for <paramref name="expire"/>.</returns>
    public Errno Detach(Mount mount, bool detach, bool expire = false)
    {
        lock (_forest.Lock)
        {
            if (mount.Namespace != this || mount.Point is not { } point)
            {
                return Errno.EINVAL;
            }

            if (!detach && (mount.IsBusy || HasChildren(mount)))
            {
                return Errno.EBUSY;
            }

            if (expire && !mount.IsExpiring)
            {
                mount.IsExpiring = true;
                return Errno.EAGAIN;
            }

            foreach (Mount receiver in MountForest.ReceiversOf(point.Mount))
            {
                if (receiver.Namespace is { } other && other._at.TryGetValue(new PathLocation(receiver, point.Dentry), out Mount? copy) && copy.Filesystem == mount.Filesystem
                    && (detach || (!copy.IsBusy && !other.HasChildren(copy))))
                {
                    other.RemoveTree(copy);
                }
            }

            RemoveTree(mount);
            return Errno.None;
        }
    }

    /// <summary>mount(2) with MS_SHARED and its kin.</summary>
    public Errno SetPropagation(Mount mount, MountPropagation propagation, bool recursive)
    {
        lock (_forest.Lock)
        {
            if (mount.Namespace != this)
            {
                return Errno.EINVAL;
            }

            _forest.SetPropagation(mount, propagation);
            foreach (Mount below in recursive ? Below(mount) : [])
            {
                _forest.SetPropagation(below, propagation);
            }

            return Errno.None;
        }
    }

    /// <summary>pivot_root(2): makes <paramref name="newRoot"/> the root and puts the old one on <paramref name="putOld"/>.</summary>
    /// <param name="root">The caller's root.</param>
    /// <param name="newRoot">The top of a mount.</param>
    /// <param name="putOld">A place at or below it.</param>
    /// <returns>EINVAL, EBUSY as in pivot_root(2).</returns>
    public Errno PivotRoot(PathLocation root, PathLocation newRoot, PathLocation putOld)
    {
        lock (_forest.Lock)
        {
            Mount rising = newRoot.Mount;
            if (rising == root.Mount || putOld.Mount == root.Mount)
            {
                return Errno.EBUSY;
            }

            if (rising.Namespace != this || root.Mount.Namespace != this || rising.Point is not { } from || from.Mount.Peers is not null || putOld.Mount.Peers is not null || root.Mount.Point?.Mount.Peers is not null)
            {
                return Errno.EINVAL;
            }

            if (newRoot.Dentry != rising.Root || root.Dentry != root.Mount.Root || !IsReachable(putOld, newRoot) || !IsReachable(newRoot, root))
            {
                return Errno.EINVAL;
            }

            PathLocation? above = root.Mount.Point;
            Unpin(rising);
            if (above is { } place)
            {
                Unpin(root.Mount);
                Pin(rising, place);
            }
            else
            {
                Root = rising;
            }

            Pin(root.Mount, TopOf(putOld));
            return Errno.None;
        }
    }

    /// <summary>CLONE_NEWNS: a copy of the tree.</summary>
    /// <param name="copies">Which mount of the copy stands for which.</param>
    public Result<MountNamespace> Copy(out Dictionary<Mount, Mount> copies)
    {
        lock (_forest.Lock)
        {
            copies = new() { [Root] = Root.CopyAt(Root.Root) };
            MountNamespace copy = new(copies[Root], _forest.Ids.Next(), _forest);
            MountForest.Follow(Root, copies[Root]);
            List<(Mount Mount, PathLocation Point)> tree = [];
            CopyChildren(Root, Root.Root, copies[Root], tree, copies, keepsUnbindable: true);
            foreach ((Mount mount, PathLocation point) in tree)
            {
                copy.Add(mount);
                copy.Pin(mount, point);
            }

            return copy;
        }
    }

    /// <summary>The mount on top of a place, if there is one.</summary>
    public Mount? FindAt(PathLocation point)
    {
        if (point.Dentry.MountCount == 0)
        {
            return null;
        }

        lock (_forest.Lock)
        {
            return _at.GetValueOrDefault(point);
        }
    }

    /// <summary>A place, or the top of what is mounted on it.</summary>
    public PathLocation FindTop(PathLocation point)
    {
        lock (_forest.Lock)
        {
            return TopOf(point);
        }
    }

    /// <summary>All mounts, in the order they were made.</summary>
    public IReadOnlyList<Mount> List()
    {
        lock (_forest.Lock)
        {
            return [.. _mounts];
        }
    }

    private static bool IsReachable(PathLocation place, PathLocation from)
    {
        PathLocation at = place;
        while (at.Mount != from.Mount)
        {
            if (at.Mount.Point is not { } point)
            {
                return false;
            }

            at = point;
        }

        return at.Dentry.IsWithin(from.Dentry);
    }

    // The first of the tree goes on the given place; under a shared mount, copies of the whole tree go to those who receive.
    private Errno AttachLocked(List<(Mount Mount, PathLocation Point)> tree)
    {
        (Mount top, PathLocation wanted) = tree[0];
        PathLocation point = TopOf(wanted);
        List<Mount> receivers = MountForest.ReceiversOf(point.Mount);
        if (_mounts.Count + (tree.Count * (1 + receivers.Count)) > MaxMounts)
        {
            return Errno.ENOSPC;
        }

        foreach ((Mount mount, PathLocation place) in tree)
        {
            Add(mount);
            Pin(mount, mount == top ? point : place);
        }

        if (point.Mount.Peers is null)
        {
            return Errno.None;
        }

        foreach ((Mount mount, _) in tree)
        {
            if (mount.Peers is null)
            {
                _forest.SetPropagation(mount, MountPropagation.Shared);
            }
        }

        foreach (Mount receiver in receivers)
        {
            if (receiver.Namespace is not { } other || !point.Dentry.IsWithin(receiver.Root))
            {
                continue;
            }

            List<(Mount Mount, PathLocation Point)> copy = [];
            CopyTree(top, top.Root, new PathLocation(receiver, point.Dentry), recursive: true, copy, null);
            foreach ((Mount mount, PathLocation place) in copy)
            {
                other.Add(mount);
                other.Pin(mount, mount == copy[0].Mount ? other.TopOf(place) : place);
                if (receiver.Peers is null)
                {
                    _forest.SetPropagation(mount, MountPropagation.Slave);
                }
            }
        }

        return Errno.None;
    }

    private void CopyTree(Mount mount, Dentry root, PathLocation point, bool recursive, List<(Mount Mount, PathLocation Point)> tree, Dictionary<Mount, Mount>? copies)
    {
        Mount copy = mount.CopyAt(root);
        MountForest.Follow(mount, copy);
        tree.Add((copy, point));
        if (recursive && mount.Namespace is { } home)
        {
            home.CopyChildren(mount, root, copy, tree, copies, keepsUnbindable: false);
        }
    }

    private void CopyChildren(Mount mount, Dentry root, Mount parentCopy, List<(Mount Mount, PathLocation Point)> tree, Dictionary<Mount, Mount>? copies, bool keepsUnbindable)
    {
        foreach (Mount child in _mounts.ToArray())
        {
            if (child.Point is not { } place || place.Mount != mount || !place.Dentry.IsWithin(root) || (child.IsUnbindable && !keepsUnbindable))
            {
                continue;
            }

            Mount copy = child.CopyAt(child.Root);
            MountForest.Follow(child, copy);
            tree.Add((copy, place with { Mount = parentCopy }));
            copies?.Add(child, copy);
            CopyChildren(child, child.Root, copy, tree, copies, keepsUnbindable);
        }
    }

    private PathLocation TopOf(PathLocation point)
    {
        while (_at.TryGetValue(point, out Mount? covering))
        {
            point = new PathLocation(covering, covering.Root);
        }

        return point;
    }

    private bool HasChildren(Mount mount) => _mounts.Exists(other => other.Point is { } place && place.Mount == mount);

    private List<Mount> Below(Mount mount)
    {
        List<Mount> found = [];
        foreach (Mount other in _mounts)
        {
            if (other.Point is { } place && (place.Mount == mount || found.Contains(place.Mount)))
            {
                found.Add(other);
            }
        }

        return found;
    }

    private void Add(Mount mount)
    {
        mount.Id = _forest.NextMountId();
        mount.Namespace = this;
        _mounts.Add(mount);
        mount.Root.Inode?.OnMounted();
    }

    private void Pin(Mount mount, PathLocation point)
    {
        mount.Point = point;
        point.Dentry.AddMount();
        _at[point] = mount;
    }

    private void Unpin(Mount mount)
    {
        if (mount.Point is { } point)
        {
            _at.Remove(point);
            point.Dentry.RemoveMount();
            mount.Point = null;
        }
    }

    private void RemoveTree(Mount mount)
    {
        foreach (Mount child in _mounts.FindAll(other => other.Point is { } place && place.Mount == mount))
        {
            RemoveTree(child);
        }

        RemoveOne(mount);
    }

    private void RemoveOne(Mount mount)
    {
        Unpin(mount);
        _mounts.Remove(mount);
        _forest.SetPropagation(mount, MountPropagation.Private);
        mount.Namespace = null;
        mount.Root.Inode?.OnUnmounted();
    }
}
