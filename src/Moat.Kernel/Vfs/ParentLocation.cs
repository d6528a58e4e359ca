using Moat.Linux;

namespace Moat.Kernel.Vfs;

/// <summary>A directory and a name in it: where something is made, removed or renamed.</summary>
/// <param name="Directory">The directory.</param>
/// <param name="Name">The last component.</param>
/// <param name="HasTrailingSlash">Whether a slash followed: only a directory will do.</param>
public readonly record struct ParentLocation(PathLocation Directory, FileName Name, bool HasTrailingSlash);
