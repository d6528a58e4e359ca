using Moat.Linux;

namespace Moat.Kernel.Vfs;

/// <summary>A name in a directory, cached: parent, name and the inode (null: known not to exist). The garbage collector frees dentries; the tree keeps those that are worth it.</summary>
public sealed class Dentry
{
    /// <summary>A root, or a child of <paramref name="parent"/>.</summary>
    public Dentry(Dentry? parent, FileName name, Inode? inode)
    {
        Parent = parent ?? this;
        Name = name;
        Inode = inode;
    }

    /// <summary>The directory it is in; itself for a root. Changes on rename, under the filesystem's rename lock.</summary>
    public Dentry Parent { get; internal set; }

    /// <summary>Its name there. Changes on rename.</summary>
    public FileName Name { get; internal set; }

    /// <summary>What it names; null for a negative entry.</summary>
    public Inode? Inode { get; internal set; }

    /// <summary>Whether it is the root of its filesystem (or of a bind mount's source).</summary>
    public bool IsRoot => Parent == this;
}
