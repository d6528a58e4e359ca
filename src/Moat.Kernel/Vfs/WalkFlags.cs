namespace Moat.Kernel.Vfs;

/// <summary>How a path is resolved.</summary>
[Flags]
public enum WalkFlags
{
    None = 0,

    /// <summary>A symbolic link at the end is not followed.</summary>
    NoFollow = 1,

    /// <summary>The result must be a directory (ENOTDIR).</summary>
    Directory = 2,

    /// <summary>An empty path means the starting place (AT_EMPTY_PATH).</summary>
    EmptyPath = 4,

    /// <summary>RESOLVE_NO_SYMLINKS.</summary>
    NoSymlinks = 8,

    /// <summary>RESOLVE_NO_MAGICLINKS.</summary>
    NoMagicLinks = 16,

    /// <summary>RESOLVE_NO_XDEV.</summary>
    NoXdev = 32,

    /// <summary>RESOLVE_BENEATH.</summary>
    Beneath = 64,

    /// <summary>RESOLVE_IN_ROOT.</summary>
    InRoot = 128,
}
