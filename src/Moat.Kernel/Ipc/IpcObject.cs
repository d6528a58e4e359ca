using System.Buffers.Binary;
using Moat.Kernel.Credentials;
using Moat.Linux;

namespace Moat.Kernel.Ipc;

/// <summary>What System V shared memory, semaphores and message queues have in common (svipc(7)): an id, a key, owners and permissions. Guarded by its table's lock unless it says otherwise.</summary>
public abstract class IpcObject(int key, TaskCredentials creator, uint mode, long nowSeconds)
{
    /// <summary>Bytes of <c>struct ipc64_perm</c>.</summary>
    public const int PermissionsSize = 48;

    private const int PermissionBits = 0x1ff;

    /// <summary>Its id.</summary>
    public int Id { get; internal set; }

    /// <summary>Its key; IPC_PRIVATE when nobody can find it any more.</summary>
    public int Key { get; internal set; } = key;

    /// <summary>The low nine bits of its mode.</summary>
    public uint Mode { get; private set; } = mode & PermissionBits;

    /// <summary>When it was last changed, in seconds since 1970.</summary>
    public long ChangeTime { get; set; } = nowSeconds;

    /// <summary>Whether it has been removed: EIDRM for those who wait for it.</summary>
    public bool IsRemoved { get; internal set; }

    /// <summary>The owner, who can be changed.</summary>
    public uint Uid { get; private set; } = creator.EffectiveUid;

    /// <summary>The owning group.</summary>
    public uint Gid { get; private set; } = creator.EffectiveGid;

    /// <summary>Who made it.</summary>
    public uint CreatorUid { get; } = creator.EffectiveUid;

    /// <summary>The group of who made it.</summary>
    public uint CreatorGid { get; } = creator.EffectiveGid;

    /// <summary>Whether the task has all of the permissions (bits as in the owner's, the group's or the others' place of a mode).</summary>
    public bool Allows(TaskCredentials who, uint wanted)
    {
        const uint Bits = 7;
        uint requested = ((wanted >> 6) | (wanted >> 3) | wanted) & Bits;
        int shift = who.EffectiveUid == CreatorUid || who.EffectiveUid == Uid ? 6 : IsInGroup(who, CreatorGid) || IsInGroup(who, Gid) ? 3 : 0;
        return (requested & ~(Mode >> shift)) == 0 || who.HasCapability(Capability.CAP_IPC_OWNER);
    }

    /// <summary>Whether the task may remove it or change its permissions.</summary>
    public bool IsOwnedBy(TaskCredentials who) => who.EffectiveUid == CreatorUid || who.EffectiveUid == Uid || who.HasCapability(Capability.CAP_SYS_ADMIN);

    /// <summary>IPC_SET: takes owner, group and mode from a <c>struct ipc64_perm</c>.</summary>
    public void SetPermissions(ReadOnlySpan<byte> permissions, long nowSeconds)
    {
        Uid = BinaryPrimitives.ReadUInt32LittleEndian(permissions[4..]);
        Gid = BinaryPrimitives.ReadUInt32LittleEndian(permissions[8..]);
        Mode = BinaryPrimitives.ReadUInt32LittleEndian(permissions[20..]) & PermissionBits;
        ChangeTime = nowSeconds;
    }

    /// <summary>Writes a <c>struct ipc64_perm</c>.</summary>
    public void WritePermissions(Span<byte> permissions, uint extraMode = 0)
    {
        permissions[..PermissionsSize].Clear();
        BinaryPrimitives.WriteInt32LittleEndian(permissions, Key);
        BinaryPrimitives.WriteUInt32LittleEndian(permissions[4..], Uid);
        BinaryPrimitives.WriteUInt32LittleEndian(permissions[8..], Gid);
        BinaryPrimitives.WriteUInt32LittleEndian(permissions[12..], CreatorUid);
        BinaryPrimitives.WriteUInt32LittleEndian(permissions[16..], CreatorGid);
        BinaryPrimitives.WriteUInt32LittleEndian(permissions[20..], Mode | extraMode);
        BinaryPrimitives.WriteUInt16LittleEndian(permissions[24..], (ushort)(Id / IpcTable.MaxIndex));
    }

    private static bool IsInGroup(TaskCredentials who, uint gid) => gid == who.EffectiveGid || who.Groups.Contains(gid);
}
