using Moat.Kernel.Tasks;

namespace Moat.Kernel.Credentials;

/// <summary>Who may look into another process: PTRACE_MODE_ATTACH and PTRACE_MODE_READ with REALCREDS (ptrace(2), "Ptrace access mode checking").</summary>
public static class TraceAccess
{
    /// <summary>PTRACE_TRACEME: whether a task may make its parent its tracer, who may so have no less power than it.</summary>
    public static bool MayBeTracedBy(GuestTask task, GuestTask parent) =>
        (task.Credentials.Permitted & ~parent.Credentials.Permitted).Bits == 0 || parent.Credentials.HasCapability(Capability.CAP_SYS_PTRACE);

    /// <summary>Whether the caller may.</summary>
    public static bool IsAllowed(GuestTask caller, GuestTask target)
    {
        if (caller.ThreadGroup == target.ThreadGroup)
        {
            return true;
        }

        TaskCredentials who = caller.Credentials;
        TaskCredentials other = target.Credentials;
        if (who.HasCapability(Capability.CAP_SYS_PTRACE))
        {
            return true;
        }

        bool sameIds = who.RealUid == other.EffectiveUid && who.RealUid == other.SavedUid && who.RealUid == other.RealUid
            && who.RealGid == other.EffectiveGid && who.RealGid == other.SavedGid && who.RealGid == other.RealGid;
        return sameIds && target.ThreadGroup.IsDumpable && (other.Permitted & ~who.Permitted).Bits == 0;
    }
}
