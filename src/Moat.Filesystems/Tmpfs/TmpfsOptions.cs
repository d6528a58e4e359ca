using Moat.Linux;

namespace Moat.Filesystems.Tmpfs;

/// <summary>Mount options of tmpfs.</summary>
public sealed record TmpfsOptions
{
    /// <summary>size=</summary>
    public ulong SizeBytes { get; init; } = ulong.MaxValue;

    /// <summary>nr_inodes=</summary>
    public long MaxInodes { get; init; } = 4_000_000;

    /// <summary>mode=</summary>
    public Mode RootMode { get; init; } = (Mode)0x3FF; // 1777

    /// <summary>uid=</summary>
    public uint Uid { get; init; }

    /// <summary>gid=</summary>
    public uint Gid { get; init; }

    /// <summary>What /proc/mounts calls it.</summary>
    public string TypeName { get; init; } = "tmpfs";
}
