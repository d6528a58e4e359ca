using Moat.Kernel.Credentials;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Syscalls.Files;

/// <summary>name_to_handle_at(2), open_by_handle_at(2): no filesystem of the sandbox can be exported, so there are no handles.</summary>
internal static class FileHandles
{
    private const int SymlinkFollow = 0x400;

    public static void Register(SyscallTableBuilder table)
    {
        table.Add(SyscallNumber.name_to_handle_at, NameToHandleAt, Arg.DirFd, Arg.Path, Arg.Pointer, Arg.Pointer, Arg.Hex);
        table.Add(SyscallNumber.open_by_handle_at, OpenByHandleAt, Arg.Fd, Arg.Pointer, Arg.OpenFlags);
    }

    private static SyscallResult NameToHandleAt(GuestTask task, in SyscallArguments arguments)
    {
        int flags = arguments.Int(4);
        if ((flags & ~(SymlinkFollow | Guest.AtEmptyPath)) != 0)
        {
            return Errno.EINVAL;
        }

        WalkFlags walk = ((flags & SymlinkFollow) != 0 ? 0 : WalkFlags.NoFollow) | Guest.WalkFlagsOf(flags & Guest.AtEmptyPath);
        return Guest.Resolve(task, arguments.Int(0), arguments.Address(1), walk).TryGet(out _, out Errno errno) ? Errno.EOPNOTSUPP : errno;
    }

    private static SyscallResult OpenByHandleAt(GuestTask task, in SyscallArguments arguments) =>
        task.Credentials.HasCapability(Capability.CAP_DAC_READ_SEARCH) ? Errno.ESTALE : Errno.EPERM;
}
