using Moat.Linux;

namespace Moat.Kernel.Vfs;

/// <summary>Where a task is in the tree: root, working directory, umask. Shared with CLONE_FS. Holds its mounts busy.</summary>
public sealed class FsContext
{
    private readonly Lock _lock = new();
    private int _users = 1;
    private volatile Places _places; // replaced under _lock

    /// <summary>A context at these places.</summary>
    public FsContext(MountNamespace mountNamespace, PathLocation root, PathLocation workingDirectory, Mode umask)
    {
        MountNamespace = mountNamespace;
        _places = new Places(root, workingDirectory);
        Umask = umask;
        mountNamespace.AddUser();
        root.Mount.AddUser();
        workingDirectory.Mount.AddUser();
    }

    /// <summary>The tree these places are in.</summary>
    public MountNamespace MountNamespace { get; private set; }

    /// <summary>Whether more than one task uses it.</summary>
    public bool IsShared => Volatile.Read(ref _users) > 1;

    /// <summary>umask(2).</summary>
    public Mode Umask { get; set; }

    /// <summary>chroot(2).</summary>
    public PathLocation Root
    {
        get => _places.Root;

        set
        {
            lock (_lock)
            {
                Places before = _places;
                value.Mount.AddUser();
                before.Root.Mount.RemoveUser();
                _places = before with { Root = value };
            }
        }
    }

    /// <summary>chdir(2).</summary>
    public PathLocation WorkingDirectory
    {
        get => _places.WorkingDirectory;

        set
        {
            lock (_lock)
            {
                Places before = _places;
                value.Mount.AddUser();
                before.WorkingDirectory.Mount.RemoveUser();
                _places = before with { WorkingDirectory = value };
            }
        }
    }

    /// <summary>Goes over to another tree (setns(2)), at its top.</summary>
    public void Enter(MountNamespace mountNamespace)
    {
        Move(mountNamespace, mountNamespace.RootLocation, mountNamespace.RootLocation);
    }

    /// <summary>Goes over to a copy of the tree of its own (CLONE_NEWNS), at the same places.</summary>
    public Errno UnshareMounts()
    {
        if (!MountNamespace.Copy(out Dictionary<Mount, Mount> copies).TryGet(out MountNamespace? copy, out Errno errno))
        {
            return errno;
        }

        PathLocation root = Root;
        PathLocation workingDirectory = WorkingDirectory;
        Move(copy, Translate(copies, root), Translate(copies, workingDirectory));
        return Errno.None;
    }

    /// <summary>pivot_root(2): whoever stood at the old root stands at the new one.</summary>
    public void Replace(PathLocation before, PathLocation after)
    {
        if (Root == before)
        {
            Root = after;
        }

        if (WorkingDirectory == before)
        {
            WorkingDirectory = after;
        }
    }

    private static PathLocation Translate(Dictionary<Mount, Mount> copies, PathLocation place) =>
        copies.TryGetValue(place.Mount, out Mount? copy) ? place with { Mount = copy } : place;

    private void Move(MountNamespace mountNamespace, PathLocation root, PathLocation workingDirectory)
    {
        MountNamespace before = MountNamespace;
        mountNamespace.AddUser();
        MountNamespace = mountNamespace;
        Root = root;
        WorkingDirectory = workingDirectory;
        before.RemoveUser();
    }

    /// <summary>A copy for a task that does not share it.</summary>
    public FsContext Clone() => new(MountNamespace, Root, WorkingDirectory, Umask);

    /// <summary>Another task uses the same context (CLONE_FS).</summary>
    public FsContext Share()
    {
        Interlocked.Increment(ref _users);
        return this;
    }

    /// <summary>A task stops using it.</summary>
    public void RemoveUser()
    {
        if (Interlocked.Decrement(ref _users) != 0)
        {
            return;
        }

        lock (_lock)
        {
            _places.Root.Mount.RemoveUser();
            _places.WorkingDirectory.Mount.RemoveUser();
        }

        MountNamespace.RemoveUser();
    }

    // Both in one object, so that each system call reads them without a lock.
    private sealed record Places(PathLocation Root, PathLocation WorkingDirectory);
}
