using Moat.Linux;

namespace Moat.Kernel.Vfs;

/// <summary>Where a task is in the tree: root, working directory, umask. Shared with CLONE_FS. Holds its mounts busy.</summary>
public sealed class FsContext
{
    private readonly Lock _lock = new();
    private int _users = 1;
    private PathLocation _root; // guarded by _lock
    private PathLocation _workingDirectory; // guarded by _lock

    /// <summary>A context at these places.</summary>
    public FsContext(MountNamespace mountNamespace, PathLocation root, PathLocation workingDirectory, Mode umask)
    {
        MountNamespace = mountNamespace;
        _root = root;
        _workingDirectory = workingDirectory;
        Umask = umask;
        root.Mount.AddUser();
        workingDirectory.Mount.AddUser();
    }

    /// <summary>The tree these places are in.</summary>
    public MountNamespace MountNamespace { get; set; }

    /// <summary>umask(2).</summary>
    public Mode Umask { get; set; }

    /// <summary>chroot(2).</summary>
    public PathLocation Root
    {
        get
        {
            lock (_lock)
            {
                return _root;
            }
        }

        set
        {
            lock (_lock)
            {
                value.Mount.AddUser();
                _root.Mount.RemoveUser();
                _root = value;
            }
        }
    }

    /// <summary>chdir(2).</summary>
    public PathLocation WorkingDirectory
    {
        get
        {
            lock (_lock)
            {
                return _workingDirectory;
            }
        }

        set
        {
            lock (_lock)
            {
                value.Mount.AddUser();
                _workingDirectory.Mount.RemoveUser();
                _workingDirectory = value;
            }
        }
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
            _root.Mount.RemoveUser();
            _workingDirectory.Mount.RemoveUser();
        }
    }
}
