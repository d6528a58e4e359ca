using Moat.Kernel.Credentials;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Syscalls.Process;

/// <summary>kcmp(2).</summary>
internal static class Kcmp
{
    private const int Unequal = 3; // unequal, and no order is told

    public static void Register(SyscallTableBuilder table) => table.Add(SyscallNumber.kcmp, Compare, Arg.Pid, Arg.Pid, Arg.Int, Arg.Long, Arg.Long);

    private static SyscallResult Compare(GuestTask task, in SyscallArguments arguments)
    {
        const int File = 0;
        const int Vm = 1;
        const int Files = 2;
        const int Fs = 3;
        const int Sighand = 4;
        GuestTask? first;
        GuestTask? second;
        lock (task.Kernel.TaskLock)
        {
            first = task.Pids.FindTask(arguments.Int(0));
            second = task.Pids.FindTask(arguments.Int(1));
            if (first is null || second is null)
            {
                return Errno.ESRCH;
            }

            if (!TraceAccess.IsAllowed(task, first) || !TraceAccess.IsAllowed(task, second))
            {
                return Errno.EPERM;
            }
        }

        return arguments.Int(2) switch
        {
            File => CompareFiles(first, arguments.Size(3), second, arguments.Size(4)),
            Vm => Same(first.Memory, second.Memory),
            Files => Same(first.Files, second.Files),
            Fs => Same(first.Fs, second.Fs),
            Sighand => Same(first.ThreadGroup.Actions, second.ThreadGroup.Actions),
            _ => Errno.EINVAL,
        };
    }

    private static SyscallResult CompareFiles(GuestTask first, ulong firstFd, GuestTask second, ulong secondFd)
    {
        if (firstFd > int.MaxValue || secondFd > int.MaxValue || !first.Files.Get((int)firstFd).TryGet(out FileDescription? one, out _))
        {
            return Errno.EBADF;
        }

        if (!second.Files.Get((int)secondFd).TryGet(out FileDescription? other, out Errno errno))
        {
            one.Release();
            return errno;
        }

        SyscallResult result = Same(one, other);
        one.Release();
        other.Release();
        return result;
    }

    private static SyscallResult Same(object first, object second) => ReferenceEquals(first, second) ? 0 : Unequal;
}
