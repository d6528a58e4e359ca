namespace Moat.Kernel.Vfs;

/// <summary>A place in a mount namespace's tree: which mount, and where in it.</summary>
/// <param name="Mount">The mount.</param>
/// <param name="Dentry">The name within the mount's filesystem.</param>
public readonly record struct PathLocation(Mount Mount, Dentry Dentry)
{
    /// <summary>The inode it names.</summary>
    public Inode Inode => Dentry.Inode!;
}
