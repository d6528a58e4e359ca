using Moat.Linux;

namespace Moat.Kernel.Vfs;

/// <summary>A name in a directory, cached: parent, name and the inode (null: known not to exist). Children are guarded by the directory inode's <see cref="Inode.DirectoryLock"/>.</summary>
public sealed class Dentry
{
    private const int MaxNegative = 4096;

    private Dictionary<FileName, Dentry>? _children;
    private int _negative;
    private int _mountCount;

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

    /// <summary>The cached child, without making a key.</summary>
    internal Dentry? FindChild(ReadOnlySpan<byte> name) =>
        _children is not null && _children.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(name, out Dentry? child) ? child : null;

    /// <summary>Caches a child.</summary>
    internal Dentry AddChild(FileName name, Inode? inode)
    {
        if (inode is null && ++_negative > MaxNegative)
        {
            DropNegative();
        }

        Dentry child = new(this, name, inode);
        (_children ??= new Dictionary<FileName, Dentry>(FileNameComparer.Instance))[name] = child;
        return child;
    }

    /// <summary>Forgets a child.</summary>
    internal void RemoveChild(Dentry child)
    {
        if (_children is not null && _children.TryGetValue(child.Name, out Dentry? known) && known == child)
        {
            _children.Remove(child.Name);
        }
    }

    /// <summary>Puts a dentry under a name (rename).</summary>
    internal void Adopt(Dentry child, FileName name)
    {
        child.Parent = this;
        child.Name = name;
        (_children ??= new Dictionary<FileName, Dentry>(FileNameComparer.Instance))[name] = child;
    }

    private void DropNegative()
    {
        _negative = 0;
        foreach (Dentry child in _children!.Values.ToArray())
        {
            if (child.Inode is null)
            {
                _children.Remove(child.Name);
            }
        }
    }
}
