using Moat.Linux;

namespace Moat.Kernel.Vfs;

/// <summary>A descriptor opened with O_PATH: it names a place and does nothing else (open(2)).</summary>
public sealed class PathDescription(PathLocation location, OpenFlags flags) : FileDescription(flags, location)
{
    /// <inheritdoc/>
    public override Inode Inode => Location!.Value.Inode;
}
