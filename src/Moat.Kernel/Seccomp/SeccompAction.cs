namespace Moat.Kernel.Seccomp;

/// <summary>What a filter decides (<c>linux/seccomp.h</c>): the upper half of its value; the lower is data.</summary>
public enum SeccompAction : uint
{
    KillProcess = 0x80000000,
    KillThread = 0,
    Trap = 0x00030000,
    Errno = 0x00050000,
    UserNotification = 0x7fc00000,
    Trace = 0x7ff00000,
    Log = 0x7ffc0000,
    Allow = 0x7fff0000,
}
