using Moat.Linux;

namespace Moat.Host;

/// <summary>Who the process is (getuid(2), getgid(2)).</summary>
public static class HostIdentity
{
    /// <summary>The effective user id.</summary>
    public static uint Uid => (uint)HostCall.Invoke(SyscallNumber.geteuid).Raw;

    /// <summary>The effective group id.</summary>
    public static uint Gid => (uint)HostCall.Invoke(SyscallNumber.getegid).Raw;
}
