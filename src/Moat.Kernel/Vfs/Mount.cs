namespace Moat.Kernel.Vfs;

/// <summary>One mount: a filesystem (or a part of one) shown at a place.</summary>
public sealed class Mount
{
    private int _users;

    /// <param name="filesystem">What is shown.</param>
    /// <param name="root">Where in it the mount begins.</param>
    public Mount(Filesystem filesystem, Dentry root)
    {
        Filesystem = filesystem;
        Root = root;
    }

    /// <summary>What is shown.</summary>
    public Filesystem Filesystem { get; }

    /// <summary>The top of what is shown.</summary>
    public Dentry Root { get; }

    /// <summary>Whether open files, working directories or roots keep umount(2) away (EBUSY).</summary>
    public bool IsBusy => Volatile.Read(ref _users) > 0;

    /// <summary>Counts an open file, working directory or root directory.</summary>
    public void AddUser() => Interlocked.Increment(ref _users);

    /// <summary>Ends what <see cref="AddUser"/> began.</summary>
    public void RemoveUser() => Interlocked.Decrement(ref _users);
}
