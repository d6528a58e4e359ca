using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Syscalls.Files;

/// <summary>posix_fadvise(2), readahead(2).</summary>
internal static class Advice
{
    public static void Register(SyscallTableBuilder table)
    {
        table.Add(SyscallNumber.fadvise64, Fadvise, Arg.Fd, Arg.Offset, Arg.Offset, Arg.Int);
        table.Add(SyscallNumber.readahead, Readahead, Arg.Fd, Arg.Offset, Arg.Size);
    }

    // Advice may be ignored; wrong arguments may not.
    private static SyscallResult Fadvise(GuestTask task, in SyscallArguments arguments)
    {
        if (!task.Files.Get(arguments.Int(0)).TryGet(out FileDescription? file, out Errno errno))
        {
            return errno;
        }

        errno = file.IsPath ? Errno.EBADF : file.Inode.FileType == Mode.S_IFIFO ? Errno.ESPIPE : arguments.Long(2) < 0 || arguments.Int(3) is < 0 or > 5 ? Errno.EINVAL : Errno.None;
        file.Release();
        return errno;
    }

    private static SyscallResult Readahead(GuestTask task, in SyscallArguments arguments)
    {
        if (!task.Files.Get(arguments.Int(0)).TryGet(out FileDescription? file, out Errno errno))
        {
            return errno;
        }

        errno = !file.CanRead ? Errno.EBADF : file.Mappable is null || file.Inode.FileType != Mode.S_IFREG ? Errno.EINVAL : Errno.None;
        file.Release();
        return errno;
    }
}
