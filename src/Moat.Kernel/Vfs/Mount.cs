namespace Moat.Kernel.Vfs;

/// <summary>One mount: a filesystem (or a part of one) shown at a place.</summary>
public sealed class Mount
{
    private int _users;
    private int _writers;

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

    /// <summary>The namespace it is in; null once it is detached, or if it was never in one.</summary>
    internal MountNamespace? Namespace { get; set; }

    /// <summary>Whether it is in a namespace.</summary>
    public bool IsAttached => Namespace is not null;

    /// <summary>The mounts it shares changes with, if it is shared.</summary>
    internal PeerGroup? Peers { get; set; }

    /// <summary>The group it takes changes from, if it is a slave.</summary>
    internal PeerGroup? Master { get; set; }

    /// <summary>The peer group's number for /proc/PID/mountinfo (shared:N); 0 if it is not shared.</summary>
    public int PeerGroupId => Peers?.Id ?? 0;

    /// <summary>The master's number for /proc/PID/mountinfo (master:N); 0 if it is no slave.</summary>
    public int MasterGroupId => Master?.Id ?? 0;

    /// <summary>MS_UNBINDABLE.</summary>
    public bool IsUnbindable { get; internal set; }

    /// <summary>MNT_EXPIRE has been asked for, and nobody has used it since.</summary>
    internal bool IsExpiring { get; set; }

    /// <summary>Whether it is read-only.</summary>
    public bool IsReadOnly => (Flags & MountFlags.ReadOnly) != 0;

    /// <summary>Whether open files, working directories or roots keep umount(2) away (EBUSY).</summary>
    public bool IsBusy => Volatile.Read(ref _users) > 0;

    /// <summary>Counts an open file, working directory or root directory.</summary>
    public void AddUser()
    {
        IsExpiring = false;
        Interlocked.Increment(ref _users);
    }

    /// <summary>Whether files are open for writing: it cannot become read-only then (EBUSY).</summary>
    public bool HasWriters => Volatile.Read(ref _writers) > 0;

    /// <summary>Counts a file that is open for writing.</summary>
    internal void AddWriter() => Interlocked.Increment(ref _writers);

    /// <summary>Ends what <see cref="AddWriter"/> began.</summary>
    internal void RemoveWriter() => Interlocked.Decrement(ref _writers);

    /// <summary>The same thing once more, in no tree yet.</summary>
    /// <param name="root">Where the new one begins.</param>
    internal Mount CopyAt(Dentry root) => new(Filesystem, root, Flags) { Source = Source, IsUnbindable = IsUnbindable };

    /// <summary>Ends what <see cref="AddUser"/> began.</summary>
    public void RemoveUser() => Interlocked.Decrement(ref _users);
}
