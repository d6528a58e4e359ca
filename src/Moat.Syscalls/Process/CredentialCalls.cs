using Moat.Kernel.Credentials;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Syscalls.Process;

/// <summary>getuid(2), setuid(2) and their kin, setfsuid(2), getgroups(2), setgroups(2).</summary>
internal static class CredentialCalls
{
    private const uint Keep = uint.MaxValue;
    private const int MaxGroups = 65536;

    // CAP_FS_SET: CAP_CHOWN, DAC_OVERRIDE, DAC_READ_SEARCH, FOWNER, FSETID, LINUX_IMMUTABLE, MKNOD, MAC_OVERRIDE.
    private static readonly CapabilitySet s_forFiles = new((1UL << 0) | (1UL << 1) | (1UL << 2) | (1UL << 3) | (1UL << 4) | (1UL << 9) | (1UL << 27) | (1UL << 32));

    public static void Register(SyscallTableBuilder table)
    {
        table.Add(SyscallNumber.getuid, static (GuestTask task, in SyscallArguments _) => (long)task.Credentials.RealUid);
        table.Add(SyscallNumber.geteuid, static (GuestTask task, in SyscallArguments _) => (long)task.Credentials.EffectiveUid);
        table.Add(SyscallNumber.getgid, static (GuestTask task, in SyscallArguments _) => (long)task.Credentials.RealGid);
        table.Add(SyscallNumber.getegid, static (GuestTask task, in SyscallArguments _) => (long)task.Credentials.EffectiveGid);
        table.Add(SyscallNumber.getresuid, Getresuid, Arg.Pointer, Arg.Pointer, Arg.Pointer);
        table.Add(SyscallNumber.getresgid, Getresgid, Arg.Pointer, Arg.Pointer, Arg.Pointer);
        table.Add(SyscallNumber.setuid, Setuid, Arg.Uid);
        table.Add(SyscallNumber.setgid, Setgid, Arg.Uid);
        table.Add(SyscallNumber.setreuid, Setreuid, Arg.Uid, Arg.Uid);
        table.Add(SyscallNumber.setregid, Setregid, Arg.Uid, Arg.Uid);
        table.Add(SyscallNumber.setresuid, Setresuid, Arg.Uid, Arg.Uid, Arg.Uid);
        table.Add(SyscallNumber.setresgid, Setresgid, Arg.Uid, Arg.Uid, Arg.Uid);
        table.Add(SyscallNumber.setfsuid, Setfsuid, Arg.Uid);
        table.Add(SyscallNumber.setfsgid, Setfsgid, Arg.Uid);
        table.Add(SyscallNumber.getgroups, Getgroups, Arg.Int, Arg.Pointer);
        table.Add(SyscallNumber.setgroups, Setgroups, Arg.Int, Arg.Pointer);
    }

    private static SyscallResult Getresuid(GuestTask task, in SyscallArguments arguments) =>
        Write3(task, arguments, task.Credentials.RealUid, task.Credentials.EffectiveUid, task.Credentials.SavedUid);

    private static SyscallResult Getresgid(GuestTask task, in SyscallArguments arguments) =>
        Write3(task, arguments, task.Credentials.RealGid, task.Credentials.EffectiveGid, task.Credentials.SavedGid);

    private static SyscallResult Write3(GuestTask task, in SyscallArguments arguments, uint real, uint effective, uint saved)
    {
        Errno errno = task.Memory.Write(arguments.Address(0), real);
        errno = errno == Errno.None ? task.Memory.Write(arguments.Address(1), effective) : errno;
        return errno == Errno.None ? task.Memory.Write(arguments.Address(2), saved) : errno;
    }

    private static SyscallResult Setuid(GuestTask task, in SyscallArguments arguments)
    {
        uint uid = arguments.UInt(0);
        TaskCredentials who = task.Credentials;
        if (uid == Keep)
        {
            return Errno.EINVAL;
        }

        if (who.HasCapability(Capability.CAP_SETUID))
        {
            return ChangeUids(task, uid, uid, uid);
        }

        return uid == who.RealUid || uid == who.SavedUid ? ChangeUids(task, who.RealUid, uid, who.SavedUid) : Errno.EPERM;
    }

    private static SyscallResult Setgid(GuestTask task, in SyscallArguments arguments)
    {
        uint gid = arguments.UInt(0);
        TaskCredentials who = task.Credentials;
        if (gid == Keep)
        {
            return Errno.EINVAL;
        }

        if (who.HasCapability(Capability.CAP_SETGID))
        {
            return ChangeGids(task, gid, gid, gid);
        }

        return gid == who.RealGid || gid == who.SavedGid ? ChangeGids(task, who.RealGid, gid, who.SavedGid) : Errno.EPERM;
    }

    private static SyscallResult Setreuid(GuestTask task, in SyscallArguments arguments)
    {
        TaskCredentials who = task.Credentials;
        (uint real, uint effective) = (arguments.UInt(0), arguments.UInt(1));
        bool privileged = who.HasCapability(Capability.CAP_SETUID);
        if (!privileged && ((real != Keep && real != who.RealUid && real != who.EffectiveUid)
            || (effective != Keep && effective != who.RealUid && effective != who.EffectiveUid && effective != who.SavedUid)))
        {
            return Errno.EPERM;
        }

        uint newEffective = effective == Keep ? who.EffectiveUid : effective;
        bool savesToo = real != Keep || (effective != Keep && effective != who.RealUid);
        return ChangeUids(task, real == Keep ? who.RealUid : real, newEffective, savesToo ? newEffective : who.SavedUid);
    }

    private static SyscallResult Setregid(GuestTask task, in SyscallArguments arguments)
    {
        TaskCredentials who = task.Credentials;
        (uint real, uint effective) = (arguments.UInt(0), arguments.UInt(1));
        bool privileged = who.HasCapability(Capability.CAP_SETGID);
        if (!privileged && ((real != Keep && real != who.RealGid && real != who.EffectiveGid)
            || (effective != Keep && effective != who.RealGid && effective != who.EffectiveGid && effective != who.SavedGid)))
        {
            return Errno.EPERM;
        }

        uint newEffective = effective == Keep ? who.EffectiveGid : effective;
        bool savesToo = real != Keep || (effective != Keep && effective != who.RealGid);
        return ChangeGids(task, real == Keep ? who.RealGid : real, newEffective, savesToo ? newEffective : who.SavedGid);
    }

    private static SyscallResult Setresuid(GuestTask task, in SyscallArguments arguments)
    {
        TaskCredentials who = task.Credentials;
        bool Allowed(uint uid) => uid == Keep || uid == who.RealUid || uid == who.EffectiveUid || uid == who.SavedUid;
        (uint real, uint effective, uint saved) = (arguments.UInt(0), arguments.UInt(1), arguments.UInt(2));
        if (!who.HasCapability(Capability.CAP_SETUID) && !(Allowed(real) && Allowed(effective) && Allowed(saved)))
        {
            return Errno.EPERM;
        }

        return ChangeUids(task, real == Keep ? who.RealUid : real, effective == Keep ? who.EffectiveUid : effective, saved == Keep ? who.SavedUid : saved);
    }

    private static SyscallResult Setresgid(GuestTask task, in SyscallArguments arguments)
    {
        TaskCredentials who = task.Credentials;
        bool Allowed(uint gid) => gid == Keep || gid == who.RealGid || gid == who.EffectiveGid || gid == who.SavedGid;
        (uint real, uint effective, uint saved) = (arguments.UInt(0), arguments.UInt(1), arguments.UInt(2));
        if (!who.HasCapability(Capability.CAP_SETGID) && !(Allowed(real) && Allowed(effective) && Allowed(saved)))
        {
            return Errno.EPERM;
        }

        return ChangeGids(task, real == Keep ? who.RealGid : real, effective == Keep ? who.EffectiveGid : effective, saved == Keep ? who.SavedGid : saved);
    }

    private static SyscallResult ChangeGids(GuestTask task, uint real, uint effective, uint saved)
    {
        task.Credentials = task.Credentials with { RealGid = real, EffectiveGid = effective, SavedGid = saved, FilesystemGid = effective };
        return SyscallResult.Ok;
    }

    // capabilities(7), "Effect of user ID changes on capabilities".
    private static SyscallResult ChangeUids(GuestTask task, uint real, uint effective, uint saved)
    {
        TaskCredentials who = task.Credentials;
        TaskCredentials changed = who with { RealUid = real, EffectiveUid = effective, SavedUid = saved, FilesystemUid = effective };
        if ((who.SecureBits & SecureBit.NoSetuidFixup) == 0)
        {
            bool hadRoot = who.RealUid == 0 || who.EffectiveUid == 0 || who.SavedUid == 0;
            bool hasRoot = real == 0 || effective == 0 || saved == 0;
            if (hadRoot && !hasRoot)
            {
                changed = changed with { Ambient = default };
                if ((who.SecureBits & SecureBit.KeepCaps) == 0)
                {
                    changed = changed with { Permitted = default, Effective = default };
                }
            }

            if (who.EffectiveUid == 0 && effective != 0)
            {
                changed = changed with { Effective = default };
            }
            else if (who.EffectiveUid != 0 && effective == 0)
            {
                changed = changed with { Effective = changed.Permitted };
            }
        }

        if (effective != who.EffectiveUid)
        {
            task.ThreadGroup.IsDumpable = false;
        }

        task.Credentials = changed;
        return SyscallResult.Ok;
    }

    // It returns the old id in any case. Capabilities for files come and go with root's.
    private static SyscallResult Setfsuid(GuestTask task, in SyscallArguments arguments)
    {
        uint uid = arguments.UInt(0);
        TaskCredentials who = task.Credentials;
        bool isAllowed = uid == who.RealUid || uid == who.EffectiveUid || uid == who.SavedUid || who.HasCapability(Capability.CAP_SETUID);
        if (uid == Keep || uid == who.FilesystemUid || !isAllowed)
        {
            return (long)who.FilesystemUid;
        }

        TaskCredentials changed = who with { FilesystemUid = uid };
        if ((who.SecureBits & SecureBit.NoSetuidFixup) == 0 && who.FilesystemUid == 0)
        {
            changed = changed with { Effective = who.Effective & ~s_forFiles };
        }
        else if ((who.SecureBits & SecureBit.NoSetuidFixup) == 0 && uid == 0)
        {
            changed = changed with { Effective = who.Effective | (who.Permitted & s_forFiles) };
        }

        task.ThreadGroup.IsDumpable = false;
        task.Credentials = changed;
        return (long)who.FilesystemUid;
    }

    private static SyscallResult Setfsgid(GuestTask task, in SyscallArguments arguments)
    {
        uint gid = arguments.UInt(0);
        TaskCredentials who = task.Credentials;
        bool isAllowed = gid == who.RealGid || gid == who.EffectiveGid || gid == who.SavedGid || who.HasCapability(Capability.CAP_SETGID);
        if (gid != Keep && gid != who.FilesystemGid && isAllowed)
        {
            task.ThreadGroup.IsDumpable = false;
            task.Credentials = who with { FilesystemGid = gid };
        }

        return (long)who.FilesystemGid;
    }

    private static SyscallResult Getgroups(GuestTask task, in SyscallArguments arguments)
    {
        IReadOnlyList<uint> groups = task.Credentials.Groups;
        int size = arguments.Int(0);
        if (size < 0 || (size > 0 && size < groups.Count))
        {
            return Errno.EINVAL;
        }

        if (size > 0)
        {
            uint[] list = [.. groups];
            Errno errno = task.Memory.CopyOut(arguments.Address(1), System.Runtime.InteropServices.MemoryMarshal.AsBytes<uint>(list));
            if (errno != Errno.None)
            {
                return errno;
            }
        }

        return groups.Count;
    }

    private static SyscallResult Setgroups(GuestTask task, in SyscallArguments arguments)
    {
        if (!task.Credentials.HasCapability(Capability.CAP_SETGID))
        {
            return Errno.EPERM;
        }

        int count = arguments.Int(0);
        if ((uint)count > MaxGroups)
        {
            return Errno.EINVAL;
        }

        uint[] groups = new uint[count];
        Errno errno = task.Memory.CopyIn(arguments.Address(1), System.Runtime.InteropServices.MemoryMarshal.AsBytes(groups.AsSpan()));
        if (errno != Errno.None)
        {
            return errno;
        }

        Array.Sort(groups);
        task.Credentials = task.Credentials with { Groups = groups };
        return SyscallResult.Ok;
    }
}
