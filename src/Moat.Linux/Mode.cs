namespace Moat.Linux;

/// <summary>File type and permission bits: <c>mode_t</c> (inode(7)).</summary>
[Flags]
public enum Mode : uint
{
    None = 0,
    S_IFMT = 0xF000,
    S_IFSOCK = 0xC000,
    S_IFLNK = 0xA000,
    S_IFREG = 0x8000,
    S_IFBLK = 0x6000,
    S_IFDIR = 0x4000,
    S_IFCHR = 0x2000,
    S_IFIFO = 0x1000,
    S_ISUID = 0x800,
    S_ISGID = 0x400,
    S_ISVTX = 0x200,
    S_IRWXU = 0x1C0,
    S_IRWXG = 0x38,
    S_IRWXO = 0x7,

    /// <summary>All permission bits, set-id and sticky included.</summary>
    PermissionMask = 0xFFF,
}
