using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Kernel.Credentials;

/// <summary>Who a task is after execve(2): set-user-ID and set-group-ID bits, file capabilities (credentials(7); capabilities(7), "Transformation of capabilities during execve()").</summary>
/// <param name="After">The new credentials.</param>
/// <param name="IsSecure">AT_SECURE: the program has more privileges than who started it.</param>
/// <param name="IsHeldBack">Whether a tracer without CAP_SYS_PTRACE holds the task, so that it gains nothing.</param>
public readonly record struct ProgramCredentials(TaskCredentials After, bool IsSecure, bool IsHeldBack)
{
    private const uint NoRoot = 1; // SECBIT_NOROOT
    private const uint KeepCapabilities = 0x10; // SECBIT_KEEP_CAPS

    /// <summary>What executing a file makes of a task's credentials.</summary>
    /// <param name="task">The caller.</param>
    /// <param name="file">The program itself; of a script, its interpreter.</param>
    /// <returns>EPERM if the file's capabilities cannot all be had and the program does not know how to do without.</returns>
    public static Result<ProgramCredentials> Of(GuestTask task, FileDescription file)
    {
        const Mode GroupExecute = (Mode)8;
        TaskCredentials who = task.Credentials;
        bool canGain = !who.NoNewPrivileges && file.Location is { } place && (place.Mount.Flags & MountFlags.NoSuid) == 0;
        (uint uid, uint gid) = (who.EffectiveUid, who.EffectiveGid);
        FileCapabilities? fromFile = null;
        if (canGain)
        {
            Errno errno = file.Inode.GetAttributes(out InodeAttributes attributes);
            if (errno != Errno.None)
            {
                return errno;
            }

            uid = (attributes.Mode & Mode.S_ISUID) != 0 ? attributes.Uid : uid;
            gid = (attributes.Mode & (Mode.S_ISGID | GroupExecute)) == (Mode.S_ISGID | GroupExecute) ? attributes.Gid : gid;
            if (file.Inode.GetExtendedAttribute(task, FileCapabilities.AttributeName).TryGet(out byte[]? value, out _) && FileCapabilities.Parse(value).TryGet(out FileCapabilities parsed, out _))
            {
                fromFile = parsed;
            }
        }

        return Transform(who, uid, gid, fromFile, isHeldBack: task.Tracee is { } tracee && !tracee.TracerCredentials.HasCapability(Capability.CAP_SYS_PTRACE));
    }

    /// <summary>Whether the program's process may be looked into by others of its user (PR_GET_DUMPABLE): not if its ids have changed or it has gained capabilities.</summary>
    public bool IsDumpableAfter(TaskCredentials before) =>
        before.RealUid == before.EffectiveUid && before.RealGid == before.EffectiveGid
        && After.EffectiveUid == before.EffectiveUid && After.FilesystemUid == before.FilesystemUid
        && After.EffectiveGid == before.EffectiveGid && After.FilesystemGid == before.FilesystemGid
        && (After.Permitted & ~before.Permitted).Bits == 0;

    private static Result<ProgramCredentials> Transform(TaskCredentials who, uint uid, uint gid, FileCapabilities? fromFile, bool isHeldBack)
    {
        CapabilitySet permitted = default;
        bool isEffective = false;
        if (fromFile is { } file)
        {
            permitted = (who.Inheritable & file.Inheritable) | (who.Bounding & file.Permitted);
            isEffective = file.IsEffective;
            if (isEffective && (file.Permitted & ~permitted).Bits != 0)
            {
                return Errno.EPERM;
            }
        }

        // A set-user-ID root program with capabilities of its own gets just those.
        bool isSetUidRoot = uid == 0 && who.RealUid != 0;
        if ((who.SecureBits & NoRoot) == 0 && !(fromFile is not null && isSetUidRoot))
        {
            if (uid == 0 || who.RealUid == 0)
            {
                permitted = who.Inheritable | who.Bounding;
            }

            isEffective |= uid == 0;
        }

        bool isSetId = uid != who.RealUid || gid != who.RealGid;
        CapabilitySet ambient = fromFile is not null || isSetId ? default : who.Ambient;
        permitted |= ambient;
        if (isHeldBack && (isSetId || (permitted & ~who.Permitted).Bits != 0))
        {
            (uid, gid) = who.HasCapability(Capability.CAP_SETUID) ? (uid, gid) : (who.RealUid, who.RealGid);
            permitted &= who.Permitted;
        }

        TaskCredentials after = who with
        {
            EffectiveUid = uid,
            SavedUid = uid,
            FilesystemUid = uid,
            EffectiveGid = gid,
            SavedGid = gid,
            FilesystemGid = gid,
            Permitted = permitted,
            Effective = isEffective ? permitted : ambient,
            Ambient = ambient,
            SecureBits = who.SecureBits & ~KeepCapabilities,
        };
        bool isSecure = isSetId || (who.RealUid != 0 && (isEffective || (permitted & ~ambient).Bits != 0));
        return new ProgramCredentials(after, isSecure, isHeldBack);
    }
}
