using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Syscalls.Process;

/// <summary>membarrier(2).</summary>
internal static class Membarrier
{
    private const int Query = 0;
    private const int Global = 1;
    private const int GlobalExpedited = 2;
    private const int RegisterGlobalExpedited = 4;
    private const int PrivateExpedited = 8;
    private const int RegisterPrivateExpedited = 16;

    public static void Register(SyscallTableBuilder table) => table.Add(SyscallNumber.membarrier, Run, Arg.Int, Arg.Hex, Arg.Int);

    private static SyscallResult Run(GuestTask task, in SyscallArguments arguments)
    {
        if (arguments.UInt(1) != 0)
        {
            return Errno.EINVAL;
        }

        switch (arguments.Int(0))
        {
            case Query:
                return Global | GlobalExpedited | RegisterGlobalExpedited | PrivateExpedited | RegisterPrivateExpedited;
            case Global or GlobalExpedited:
                foreach (ThreadGroup process in task.Kernel.Pids.ListProcesses())
                {
                    Interrupt(task, process);
                }

                return SyscallResult.Ok;
            case PrivateExpedited:
                if (!task.ThreadGroup.UsesMembarrier)
                {
                    return Errno.EPERM;
                }

                Interrupt(task, task.ThreadGroup);
                return SyscallResult.Ok;
            case RegisterPrivateExpedited:
                task.ThreadGroup.UsesMembarrier = true;
                return SyscallResult.Ok;
            case RegisterGlobalExpedited:
                return SyscallResult.Ok; // a global barrier reaches everybody
            default:
                return Errno.EINVAL;
        }
    }

    // A task that is in the kernel passes barriers on its way back. One that runs application code is made to stop, and waited for until it has.
    private static void Interrupt(GuestTask task, ThreadGroup process)
    {
        Interlocked.MemoryBarrier();
        foreach (GuestTask other in process.ListTasks())
        {
            if (other == task || !other.CpuClock.TryGetUserStay(out int stay))
            {
                continue;
            }

            other.Context.Interrupt();
            while (other.CpuClock.TryGetUserStay(out int now) && now == stay)
            {
                Thread.Sleep(0);
            }
        }
    }
}
