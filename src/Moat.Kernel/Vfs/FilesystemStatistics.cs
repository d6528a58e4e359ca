namespace Moat.Kernel.Vfs;

/// <summary>What statfs(2) tells of a filesystem.</summary>
public struct FilesystemStatistics
{
    /// <summary><c>f_type</c>: the magic number of <c>linux/magic.h</c>.</summary>
    public long Magic;

    public long BlockSize;
    public ulong Blocks;
    public ulong BlocksFree;
    public ulong BlocksAvailable;
    public ulong Files;
    public ulong FilesFree;
    public ulong Identifier;
    public long NameLength;
}
