using Moat.Kernel.Tasks;

namespace Moat.Kernel.Credentials;

/// <summary>Who may look into another process (ptrace(2), "Ptrace access mode checking"): the one piece that ptrace(2), process_vm_readv(2), kcmp(2), pidfd_getfd(2) and proc(5) ask.
/// PTRACE_MODE_READ and PTRACE_MODE_ATTACH differ in nothing that this kernel has.</summary>
public static class TraceAccess
{
    /// <summary>PTRACE_MODE_REALCREDS: whether the caller may, by its real ids.</summary>
    public static bool IsAllowed(GuestTask caller, GuestTask target)
    {
        TaskCredentials who = caller.Credentials;
        return IsAllowed(caller, target, who.RealUid, who.RealGid, who.Permitted);
    }

    /// <summary>PTRACE_MODE_FSCREDS: whether the caller may, by the ids that it has for files. For proc(5).</summary>
    public static bool IsAllowedByFileIds(GuestTask caller, GuestTask target)
    {
        TaskCredentials who = caller.Credentials;
        return IsAllowed(caller, target, who.FilesystemUid, who.FilesystemGid, who.Effective);
    }

    /// <summary>PTRACE_TRACEME: whether a task may make its parent its tracer, who may so have no less power than it.</summary>
    public static bool MayBeTracedBy(GuestTask task, GuestTask parent) =>
        (task.Credentials.Permitted & ~parent.Credentials.Permitted).Bits == 0 || parent.Credentials.HasCapability(Capability.CAP_SYS_PTRACE);

    private static bool IsAllowed(GuestTask caller, GuestTask target, uint uid, uint gid, CapabilitySet capabilities)
    {
        if (caller.ThreadGroup == target.ThreadGroup || caller.Credentials.HasCapability(Capability.CAP_SYS_PTRACE))
        {
            return true;
        }

        TaskCredentials other = target.Credentials;
        bool sameIds = uid == other.EffectiveUid && uid == other.SavedUid && uid == other.RealUid && gid == other.EffectiveGid && gid == other.SavedGid && gid == other.RealGid;
        return sameIds && target.ThreadGroup.IsDumpable && (other.Permitted & ~capabilities).Bits == 0;
    }
}
