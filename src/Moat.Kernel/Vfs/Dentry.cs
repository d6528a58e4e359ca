using Moat.Linux;

namespace Moat.Kernel.Vfs;

/// <summary>A name in a directory, cached: parent, name and the inode (null: known not to exist). Children change under the directory inode's <see cref="Inode.DirectoryLock"/>.</summary>
public sealed class Dentry
{
    private const int MaxNegative = 4096;
    private const int FirstSweep = 16;

    private DentryChildren? _children;
    private Dentry? _nextInBucket;
    private int _negative;
    private int _sweepAt = FirstSweep; // how many children there may be before those that have gone are looked for
    private int _mountCount;
    private bool _isUsed; // since the cache has last looked

    /// <summary>A root, or a child of <paramref name="parent"/>.</summary>
    public Dentry(Dentry? parent, FileName name, Inode? inode)
    {
        Parent = parent ?? this;
        Name = name;
        Inode = inode;
    }

    /// <summary>The place of a file that has no name and is in no directory's list (O_TMPFILE, memfd_create(2)).</summary>
    /// <param name="parent">Whose filesystem it is in.</param>
    /// <param name="name">What /proc shows.</param>
    /// <param name="inode">The file.</param>
    public static Dentry MakeUnnamed(Dentry parent, FileName name, Inode inode) => new(parent, name, inode) { IsUnlinked = true };

    /// <summary>The directory it is in; itself for a root. Changes on rename.</summary>
    public Dentry Parent { get; internal set; }

    /// <summary>Its name there. Changes on rename.</summary>
    public FileName Name { get; internal set; }

    /// <summary>What it names; null for a negative entry.</summary>
    public Inode? Inode { get; internal set; }

    /// <summary>Whether its name has been taken away (unlink, rmdir).</summary>
    public bool IsUnlinked { get; internal set; }

    /// <summary>Whether linkat(2) may give a file without names its first (open(2), O_TMPFILE without O_EXCL).</summary>
    internal bool IsLinkable { get; set; }

    /// <summary>Its place in the <see cref="DentryCache"/>, which alone sets it; -1 if it is in none.</summary>
    internal int CacheSlot { get; set; } = -1;

    /// <summary>Whether names below it are cached.</summary>
    internal bool HasChildren => Volatile.Read(ref _children) is { Count: > 0 };

    /// <summary>How many mounts stand on it, in all namespaces.</summary>
    internal int MountCount => Volatile.Read(ref _mountCount);

    /// <summary>A mount is put on it.</summary>
    internal void AddMount() => Interlocked.Increment(ref _mountCount);

    /// <summary>A mount on it goes.</summary>
    internal void RemoveMount() => Interlocked.Decrement(ref _mountCount);

    /// <summary>Whether it is the root of its filesystem (or of a bind mount's source).</summary>
    public bool IsRoot => Parent == this;

    /// <summary>Whether it is this dentry or somewhere below it, within one filesystem.</summary>
    internal bool IsWithin(Dentry ancestor)
    {
        Dentry at = this;
        while (at != ancestor && !at.IsRoot)
        {
            at = at.Parent;
        }

        return at == ancestor;
    }

    /// <summary>The next in a chain of <see cref="DentryChildren"/>, which alone sets it.</summary>
    internal Dentry? NextInBucket
    {
        get => Volatile.Read(ref _nextInBucket);
        set => Volatile.Write(ref _nextInBucket, value);
    }

    /// <summary>The cached child, without making a key. Without the directory's lock null says nothing; what is found is a child at that moment.</summary>
    internal Dentry? FindChild(ReadOnlySpan<byte> name)
    {
        Dentry? child = Volatile.Read(ref _children)?.Find(this, name);
        if (child is { _isUsed: false })
        {
            child._isUsed = true;
        }

        return child;
    }

    /// <summary>Caches a child again that the cache has let go while somebody uses it. Called with the lock held, for a name that <see cref="FindChild"/> does not find.</summary>
    internal Dentry? FindEvicted(FileName name)
    {
        if (Names?.TakeEvicted(this, name) is not { } child)
        {
            return null;
        }

        Keep(child);
        return child;
    }

    /// <summary>Whether it was looked up since this was last asked.</summary>
    internal bool TakeUsed()
    {
        bool wasUsed = _isUsed;
        _isUsed = false;
        return wasUsed;
    }

    /// <summary>The cache lets a child go: false if it is none any more. What is under way along the chain that it was in ends there.</summary>
    internal bool Forget(Dentry child)
    {
        if (_children is null || !_children.Remove(child))
        {
            return false;
        }

        child.NextInBucket = null; // whoever keeps it must not keep its former neighbours
        _negative -= child.Inode is null ? 1 : 0;
        return true;
    }

    /// <summary>Caches a child, whose name is not cached yet.</summary>
    internal Dentry AddChild(FileName name, Inode? inode)
    {
        if (inode is null && ++_negative > MaxNegative)
        {
            RemoveWhere(static child => child.Inode is null);
            _negative = 1;
        }

        Dentry child = new(this, name, inode);
        Keep(child);
        if (Children.Count > _sweepAt && Inode is { Filesystem.IsStable: false } directory)
        {
            Sweep(directory, child);
        }

        return child;
    }

    // What such a filesystem takes away (a process of /proc that has ended) it tells nobody, and nobody asks for the name again. Looking when there are twice as many costs each of them one look.
    private void Sweep(Inode directory, Dentry newest)
    {
        RemoveWhere(child => child != newest && child.MountCount == 0 && !directory.Revalidate(child.Name, child.Inode));
        _negative = Children.CountNegative();
        _sweepAt = Math.Max(FirstSweep, Children.Count * 2);
    }

    /// <summary>Caches a file under a name of which it is known that it names nothing so far.</summary>
    internal Dentry ReplaceChild(Dentry negative, Inode inode)
    {
        RemoveChild(negative);
        return AddChild(negative.Name, inode);
    }

    /// <summary>Forgets a child.</summary>
    internal void RemoveChild(Dentry child)
    {
        if (_children is null || !_children.Remove(child))
        {
            return;
        }

        Names?.Remove(child);
        _negative -= child.Inode is null ? 1 : 0;
    }

    /// <summary>Puts a dentry, which is in no directory's list now, under a name (rename).</summary>
    internal void Adopt(Dentry child, FileName name)
    {
        child.Parent = this;
        child.Name = name;
        Keep(child);
    }

    private DentryCache? Names => Inode?.Filesystem.Names;

    private void Keep(Dentry child)
    {
        Children.Add(child);
        Names?.Add(child);
    }

    private void RemoveWhere(Predicate<Dentry> goes)
    {
        foreach (Dentry gone in Children.RemoveWhere(goes))
        {
            Names?.Remove(gone);
        }
    }

    private DentryChildren Children
    {
        get
        {
            if (_children is null)
            {
                Volatile.Write(ref _children, new DentryChildren());
            }

            return _children;
        }
    }
}
