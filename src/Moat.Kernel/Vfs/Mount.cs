namespace Moat.Kernel.Vfs;

/// <summary>One mount: a filesystem (or a part of one) shown at a place.</summary>
public sealed class Mount
{
    private int _users;

    /// <param name="filesystem">What is shown.</param>
    /// <param name="root">Where in it the mount begins.</param>
    /// <param name="flags">Its options.</param>
    public Mount(Filesystem filesystem, Dentry root, MountFlags flags = MountFlags.None)
    {
        Filesystem = filesystem;
        Root = root;
        Flags = flags;
    }

    /// <summary>What is shown.</summary>
    public Filesystem Filesystem { get; }

    /// <summary>The top of what is shown.</summary>
    public Dentry Root { get; }

    /// <summary>Its options; changed by a remount.</summary>
    public MountFlags Flags { get; set; }

    /// <summary>A number for /proc/PID/mountinfo.</summary>
    public int Id { get; internal set; }

    /// <summary>What was given as the source, for /proc/mounts.</summary>
    public string Source { get; init; } = "none";

    /// <summary>Where it stands; null for the root of a namespace. Guarded by the namespace's lock.</summary>
    public PathLocation? Point { get; internal set; }

    /// <summary>Whether it is read-only.</summary>
    public bool IsReadOnly => (Flags & MountFlags.ReadOnly) != 0;

    /// <summary>Whether open files, working directories or roots keep umount(2) away (EBUSY).</summary>
    public bool IsBusy => Volatile.Read(ref _users) > 0;

    /// <summary>Counts an open file, working directory or root directory.</summary>
    public void AddUser() => Interlocked.Increment(ref _users);

    /// <summary>Ends what <see cref="AddUser"/> began.</summary>
    public void RemoveUser() => Interlocked.Decrement(ref _users);
}
