using Moat.Linux;

namespace Moat.NineP;

/// <summary>What Tsetattr changes: what is null stays. A time of <see cref="Now"/> is the server's clock.</summary>
public struct NinePAttributeChange
{
    private const uint HasMode = 0x1;
    private const uint HasUid = 0x2;
    private const uint HasGid = 0x4;
    private const uint HasSize = 0x8;
    private const uint HasAccessTime = 0x10;
    private const uint HasModifyTime = 0x20;
    private const uint AccessTimeGiven = 0x80;
    private const uint ModifyTimeGiven = 0x100;

    /// <summary>UTIME_NOW of utimensat(2).</summary>
    public static readonly Timespec Now = new(0, 0x3fffffff);

    public Mode? Permissions;
    public uint? Uid;
    public uint? Gid;
    public ulong? Size;
    public Timespec? AccessTime;
    public Timespec? ModifyTime;

    internal readonly void Write(NinePWriter writer)
    {
        uint valid = (Permissions is null ? 0 : HasMode) | (Uid is null ? 0 : HasUid) | (Gid is null ? 0 : HasGid) | (Size is null ? 0 : HasSize)
            | (AccessTime is null ? 0 : HasAccessTime) | (ModifyTime is null ? 0 : HasModifyTime)
            | (AccessTime is null || AccessTime == Now ? 0 : AccessTimeGiven) | (ModifyTime is null || ModifyTime == Now ? 0 : ModifyTimeGiven);
        writer.UInt32(valid);
        writer.UInt32((uint)(Permissions ?? 0));
        writer.UInt32(Uid ?? 0);
        writer.UInt32(Gid ?? 0);
        writer.UInt64(Size ?? 0);
        writer.Time(AccessTime ?? default);
        writer.Time(ModifyTime ?? default);
    }

    internal static NinePAttributeChange Read(ref NinePReader reader)
    {
        uint valid = reader.UInt32();
        uint mode = reader.UInt32();
        uint uid = reader.UInt32();
        uint gid = reader.UInt32();
        ulong size = reader.UInt64();
        Timespec access = reader.Time();
        Timespec modify = reader.Time();
        return new NinePAttributeChange
        {
            Permissions = (valid & HasMode) != 0 ? (Mode)mode & Mode.PermissionMask : null,
            Uid = (valid & HasUid) != 0 ? uid : null,
            Gid = (valid & HasGid) != 0 ? gid : null,
            Size = (valid & HasSize) != 0 ? size : null,
            AccessTime = (valid & HasAccessTime) == 0 ? null : (valid & AccessTimeGiven) != 0 ? access : Now,
            ModifyTime = (valid & HasModifyTime) == 0 ? null : (valid & ModifyTimeGiven) != 0 ? modify : Now,
        };
    }
}
