using System.Runtime.InteropServices;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Syscalls.Files;

/// <remarks><c>struct stat</c> of x86-64, <c>asm/stat.h</c>.</remarks>
[StructLayout(LayoutKind.Sequential)]
internal struct StatBuffer
{
    private ulong _device;
    private ulong _inode;
    private ulong _links;
    private uint _mode;
    private uint _uid;
    private uint _gid;
    private uint _pad;
    private ulong _specialDevice;
    private long _size;
    private long _blockSize;
    private long _blocks;
    private Timespec _accessed;
    private Timespec _modified;
    private Timespec _changed;
    private long _unused0;
    private long _unused1;
    private long _unused2;

    public static StatBuffer From(in InodeAttributes attributes) => new()
    {
        _device = attributes.Device.Value,
        _inode = attributes.Inode,
        _links = attributes.LinkCount,
        _mode = (uint)attributes.Mode,
        _uid = attributes.Uid,
        _gid = attributes.Gid,
        _pad = 0,
        _specialDevice = attributes.SpecialDevice.Value,
        _size = attributes.Size,
        _blockSize = attributes.BlockSize,
        _blocks = (long)attributes.Blocks,
        _accessed = attributes.AccessTime,
        _modified = attributes.ModifyTime,
        _changed = attributes.ChangeTime,
        _unused0 = 0,
        _unused1 = 0,
        _unused2 = 0,
    };
}
