using Moat.Filesystems.Pipe;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Syscalls.Files;

/// <summary>pipe(2), pipe2(2).</summary>
internal static class PipeCalls
{
    public static void Register(SyscallTableBuilder table)
    {
        table.Add(SyscallNumber.pipe, static (GuestTask task, in SyscallArguments arguments) => Run(task, arguments.Address(0), 0), Arg.FdPairOut);
        table.Add(SyscallNumber.pipe2, static (GuestTask task, in SyscallArguments arguments) => Run(task, arguments.Address(0), (OpenFlags)arguments.Int(1)), Arg.FdPairOut, Arg.OpenFlags);
    }

    private static SyscallResult Run(GuestTask task, GuestAddress address, OpenFlags flags)
    {
        if ((flags & ~(OpenFlags.O_CLOEXEC | OpenFlags.O_NONBLOCK)) != 0)
        {
            return Errno.EINVAL; // O_DIRECT's packets are not there
        }

        bool closeOnExec = (flags & OpenFlags.O_CLOEXEC) != 0;
        ulong limit = task.ThreadGroup.Limits.Get(ResourceLimits.OpenFiles).Current;
        (FileDescription reader, FileDescription writer) = ((PipeFilesystem)task.Kernel.Fifos).Create(task, flags & OpenFlags.O_NONBLOCK);
        if (!task.Files.Install(reader, closeOnExec, 0, limit).TryGet(out int readFd, out Errno errno))
        {
            writer.Release();
            return errno;
        }

        if (!task.Files.Install(writer, closeOnExec, 0, limit).TryGet(out int writeFd, out errno))
        {
            task.Files.Close(task, readFd);
            return errno;
        }

        ReadOnlySpan<int> pair = [readFd, writeFd];
        errno = task.Memory.CopyOut(address, System.Runtime.InteropServices.MemoryMarshal.AsBytes(pair));
        if (errno != Errno.None)
        {
            task.Files.Close(task, readFd);
            task.Files.Close(task, writeFd);
        }

        return errno;
    }
}
