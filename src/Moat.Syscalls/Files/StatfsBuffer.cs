using System.Runtime.InteropServices;
using Moat.Kernel.Vfs;

namespace Moat.Syscalls.Files;

/// <remarks><c>struct statfs</c> of 64-bit machines, <c>asm-generic/statfs.h</c>.</remarks>
[StructLayout(LayoutKind.Sequential, Size = 120)]
internal struct StatfsBuffer
{
    private const long ValidFlags = 0x20; // ST_VALID

    private long _type;
    private long _blockSize;
    private ulong _blocks;
    private ulong _blocksFree;
    private ulong _blocksAvailable;
    private ulong _files;
    private ulong _filesFree;
    private ulong _identifier;
    private long _nameLength;
    private long _fragmentSize;
    private long _flags;

    public static StatfsBuffer From(in FilesystemStatistics statistics, MountFlags flags) => new()
    {
        _type = statistics.Magic,
        _blockSize = statistics.BlockSize,
        _blocks = statistics.Blocks,
        _blocksFree = statistics.BlocksFree,
        _blocksAvailable = statistics.BlocksAvailable,
        _files = statistics.Files,
        _filesFree = statistics.FilesFree,
        _identifier = statistics.Identifier,
        _nameLength = statistics.NameLength,
        _fragmentSize = statistics.BlockSize,
        _flags = ValidFlags | (long)(flags & (MountFlags.ReadOnly | MountFlags.NoSuid | MountFlags.NoDev | MountFlags.NoExec | MountFlags.NoAtime)),
    };
}
