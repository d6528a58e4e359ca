using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Syscalls.Process;

/// <summary>exit(2), exit_group(2).</summary>
internal static class Exit
{
    public static void Register(SyscallTableBuilder table)
    {
        table.Add(SyscallNumber.exit, ExitCall, Arg.Int);
        table.Add(SyscallNumber.exit_group, ExitGroup, Arg.Int);
    }

    private static SyscallResult ExitCall(GuestTask task, in SyscallArguments arguments)
    {
        task.IsEnding = true;
        task.ExitStatus = (arguments.Int(0) & 0xff) << 8;
        return SyscallResult.Ok;
    }

    private static SyscallResult ExitGroup(GuestTask task, in SyscallArguments arguments)
    {
        lock (task.Kernel.TaskLock)
        {
            ProcessExit.EndGroup(task.ThreadGroup, (arguments.Int(0) & 0xff) << 8);
        }

        task.IsEnding = true;
        return SyscallResult.Ok;
    }
}
