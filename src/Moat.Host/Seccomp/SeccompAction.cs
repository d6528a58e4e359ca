namespace Moat.Host.Seccomp;

/// <summary>What a filter does with a call that it does not allow (seccomp(2), SECCOMP_RET_…).</summary>
public enum SeccompAction : uint
{
    /// <summary>The call fails with EPERM.</summary>
    RefusePermission = 0x00050001,

    /// <summary>The thread gets SIGSYS.</summary>
    Trap = 0x00030000,

    /// <summary>The process ends.</summary>
    KillProcess = 0x80000000,
}
