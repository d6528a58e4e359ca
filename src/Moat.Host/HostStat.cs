using System.Runtime.InteropServices;
using Moat.Linux;

namespace Moat.Host;

/// <summary>The host's <c>struct stat</c> of x86-64 (stat(2)).</summary>
[StructLayout(LayoutKind.Sequential, Size = 144)]
public readonly struct HostStat
{
    public readonly ulong Device;
    public readonly ulong Inode;
    public readonly ulong LinkCount;
    public readonly uint Mode;
    public readonly uint Uid;
    public readonly uint Gid;
    private readonly uint _padding;
    public readonly ulong SpecialDevice;
    public readonly long Size;
    public readonly long BlockSize;
    public readonly long Blocks;
    public readonly Timespec AccessTime;
    public readonly Timespec ModifyTime;
    public readonly Timespec ChangeTime;
}
