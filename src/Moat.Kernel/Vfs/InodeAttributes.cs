using Moat.Linux;

namespace Moat.Kernel.Vfs;

/// <summary>What stat(2) and statx(2) tell of an inode.</summary>
public struct InodeAttributes
{
    public DeviceNumber Device;
    public ulong Inode;
    public Mode Mode;
    public uint LinkCount;
    public uint Uid;
    public uint Gid;
    public DeviceNumber SpecialDevice;
    public long Size;
    public uint BlockSize;

    /// <summary>In units of 512 bytes.</summary>
    public ulong Blocks;

    public Timespec AccessTime;
    public Timespec ModifyTime;
    public Timespec ChangeTime;
    public Timespec BirthTime;

    /// <summary>Whether <see cref="BirthTime"/> is known.</summary>
    public bool HasBirthTime;

    /// <summary>The file type bits.</summary>
    public readonly Mode FileType => Mode & Mode.S_IFMT;
}
