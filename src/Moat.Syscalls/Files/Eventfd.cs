using Moat.Filesystems.EventFiles;
using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Syscalls.Files;

/// <summary>eventfd(2), eventfd2(2).</summary>
internal static class Eventfd
{
    public static void Register(SyscallTableBuilder table)
    {
        table.Add(SyscallNumber.eventfd, static (GuestTask task, in SyscallArguments arguments) => Create(task, arguments.UInt(0), 0), Arg.UInt);
        table.Add(SyscallNumber.eventfd2, static (GuestTask task, in SyscallArguments arguments) => Create(task, arguments.UInt(0), arguments.Int(1)), Arg.UInt, Arg.Hex);
    }

    private static SyscallResult Create(GuestTask task, uint initial, int flags)
    {
        const int Semaphore = 1;
        if ((flags & ~(Semaphore | (int)OpenFlags.O_CLOEXEC | (int)OpenFlags.O_NONBLOCK)) != 0)
        {
            return Errno.EINVAL;
        }

        EventfdDescription file = new((AnonymousFilesystem)task.Kernel.AnonymousFiles, initial, (flags & Semaphore) != 0, (OpenFlags)flags & OpenFlags.O_NONBLOCK);
        return Guest.InstallNew(task, file, flags);
    }
}
