using Moat.Linux;

namespace Moat.Kernel.Vfs;

/// <summary>A change of attributes (chmod, chown, utimensat, truncate): what is null stays. Permission has been checked by the VFS.</summary>
public struct AttributeChange
{
    /// <summary>New permission bits (without type).</summary>
    public Mode? Permissions;

    public uint? Uid;
    public uint? Gid;
    public long? Size;
    public Timespec? AccessTime;
    public Timespec? ModifyTime;
}
