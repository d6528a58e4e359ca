using System.Runtime.InteropServices;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Syscalls.Files;

/// <remarks><c>struct statx</c>, <c>linux/stat.h</c>.</remarks>
[StructLayout(LayoutKind.Sequential, Size = 256)]
internal struct StatxBuffer
{
    private const uint BasicStats = 0x7ff;
    private const uint BirthTime = 0x800;

    private uint _mask;
    private uint _blockSize;
    private ulong _attributes;
    private uint _links;
    private uint _uid;
    private uint _gid;
    private ushort _mode;
    private ushort _pad;
    private ulong _inode;
    private ulong _size;
    private ulong _blocks;
    private ulong _attributesMask;
    private StatxTimestamp _accessed;
    private StatxTimestamp _born;
    private StatxTimestamp _changed;
    private StatxTimestamp _modified;
    private uint _specialMajor;
    private uint _specialMinor;
    private uint _deviceMajor;
    private uint _deviceMinor;

    public static StatxBuffer From(in InodeAttributes attributes) => new()
    {
        _mask = BasicStats | (attributes.HasBirthTime ? BirthTime : 0),
        _blockSize = attributes.BlockSize,
        _attributes = 0,
        _links = attributes.LinkCount,
        _uid = attributes.Uid,
        _gid = attributes.Gid,
        _mode = (ushort)attributes.Mode,
        _pad = 0,
        _inode = attributes.Inode,
        _size = (ulong)attributes.Size,
        _blocks = attributes.Blocks,
        _attributesMask = 0,
        _accessed = new StatxTimestamp(attributes.AccessTime),
        _born = attributes.HasBirthTime ? new StatxTimestamp(attributes.BirthTime) : default,
        _changed = new StatxTimestamp(attributes.ChangeTime),
        _modified = new StatxTimestamp(attributes.ModifyTime),
        _specialMajor = attributes.SpecialDevice.Major,
        _specialMinor = attributes.SpecialDevice.Minor,
        _deviceMajor = attributes.Device.Major,
        _deviceMinor = attributes.Device.Minor,
    };

    [StructLayout(LayoutKind.Sequential)]
    private readonly struct StatxTimestamp(Timespec time)
    {
        private readonly long _seconds = time.Seconds;
        private readonly uint _nanoseconds = (uint)time.Nanoseconds;
        private readonly int _pad = 0;
    }
}
