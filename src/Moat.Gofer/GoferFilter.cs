using Moat.Host.Seccomp;
using Moat.Linux;

namespace Moat.Gofer;

/// <summary>The Gofer's seccomp filter: calls on names and descriptors, and what the runtime needs. No sockets but the ones it has, no programs, no namespaces, no other processes.</summary>
internal static class GoferFilter
{
    private const uint EmptyPath = 0x1000; // AT_EMPTY_PATH
    private const uint NoFollowSymlink = 0x100; // AT_SYMLINK_NOFOLLOW
    private const uint DuplicateCloexec = 1030; // F_DUPFD_CLOEXEC

    /// <summary>Makes the filter. A link at the end of a name is followed nowhere but in /proc/self/fd.</summary>
    /// <param name="descriptorsFd">The descriptor of /proc/self/fd.</param>
    public static SeccompFilter Create(int descriptorsFd) => new SeccompFilter()
        .Allow(
            SyscallNumber.recvmsg, SyscallNumber.sendmsg, SyscallNumber.close, SyscallNumber.readlinkat, SyscallNumber.getdents64, SyscallNumber.lseek, SyscallNumber.read, SyscallNumber.write,
            SyscallNumber.pread64, SyscallNumber.pwrite64, SyscallNumber.fstatfs, SyscallNumber.ftruncate, SyscallNumber.fsync, SyscallNumber.fdatasync, SyscallNumber.mkdirat, SyscallNumber.mknodat,
            SyscallNumber.symlinkat, SyscallNumber.unlinkat,
            SyscallNumber.fgetxattr, SyscallNumber.fsetxattr, SyscallNumber.flistxattr, SyscallNumber.fremovexattr)
        .AllowIf(SyscallNumber.openat, 2, (uint)OpenFlags.O_NOFOLLOW, (uint)OpenFlags.O_NOFOLLOW)
        .AllowIf(SyscallNumber.openat, 0, uint.MaxValue, (uint)descriptorsFd)
        .AllowIf(SyscallNumber.newfstatat, 3, EmptyPath, EmptyPath)
        .AllowIf(SyscallNumber.newfstatat, 3, NoFollowSymlink, NoFollowSymlink)
        .AllowIf(SyscallNumber.fchownat, 4, EmptyPath, EmptyPath)
        .AllowIf(SyscallNumber.fchmodat, 0, uint.MaxValue, (uint)descriptorsFd)
        .AllowIf(SyscallNumber.utimensat, 0, uint.MaxValue, (uint)descriptorsFd)
        .AllowIf(SyscallNumber.linkat, 0, uint.MaxValue, (uint)descriptorsFd)
        .AllowIf(SyscallNumber.renameat2, 4, uint.MaxValue, 0)
        .AllowIf(SyscallNumber.fcntl, 1, uint.MaxValue, DuplicateCloexec)
        .AllowRuntime();
}
