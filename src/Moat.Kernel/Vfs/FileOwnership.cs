using Moat.Linux;

namespace Moat.Kernel.Vfs;

/// <summary>What permission checks ask of an inode.</summary>
/// <param name="Mode">Type and permissions.</param>
/// <param name="Uid">The owner.</param>
/// <param name="Gid">The group.</param>
public readonly record struct FileOwnership(Mode Mode, uint Uid, uint Gid)
{
    /// <summary>The same from all attributes.</summary>
    public static FileOwnership Of(in InodeAttributes attributes) => new(attributes.Mode, attributes.Uid, attributes.Gid);
}
