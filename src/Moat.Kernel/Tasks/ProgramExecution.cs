using Moat.Kernel.Loader;
using Moat.Kernel.Memory;
using Moat.Kernel.Ptrace;
using Moat.Kernel.Signals;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Kernel.Tasks;

/// <summary>The task's side of execve(2): the other threads end, the new program takes the task over.</summary>
public static class ProgramExecution
{
    /// <summary>Replaces the calling task's program.</summary>
    /// <returns>An errno while the old program can still go on.</returns>
    public static Errno Execute(GuestTask task, FileDescription file, byte[] path, IReadOnlyList<byte[]> arguments, IReadOnlyList<byte[]> environment, bool isPathClosing = false)
    {
        if (!ProgramLoader.Load(task, file, path, arguments, environment, isPathClosing).TryGet(out LoadedProgram? program, out Errno errno))
        {
            return errno;
        }

        int formerTid = task.Tid;
        errno = EndOtherThreads(task);
        if (errno != Errno.None)
        {
            program.Memory.RemoveUser();
            return errno;
        }

        task.Kernel.Futexes.ReleaseRobustList(task);
        MemoryManager old = task.Memory;
        task.Usage.NotePeak(old.PeakResidentBytes);
        task.Memory = program.Memory;
        task.Registers = program.Registers with { OrigRax = task.Registers.OrigRax };
        task.KeepsRegisters = true;
        task.SetName(program.Name);
        task.ClearTidAddress = default;
        task.RobustList = default;
        task.RestartBlock = null;
        if (task.Files.IsShared)
        {
            FdTable own = task.Files.Fork();
            task.Files.RemoveUser(task);
            task.Files = own;
        }

        task.Files.CloseRange(task, 0, int.MaxValue, static (_, closeOnExec) => closeOnExec);
        lock (task.Kernel.TaskLock)
        {
            ThreadGroup group = task.ThreadGroup;
            group.Actions = group.Actions.Clone();
            group.Actions.ResetHandlers();
            group.HasExecuted = true;
            group.UsesMembarrier = false;
            group.IsDumpable = program.Credentials.IsDumpableAfter(task.Credentials);
            group.Timers.DeletePosixTimers();
            group.Executing = null;
            task.Signals.AlternateStack = AlternateStack.None;
            task.Credentials = program.Credentials.After;
            TraceLinks.OnExecution(task, program);
        }

        if (program.Credentials.IsSecure)
        {
            task.ParentDeathSignal = Signal.None; // prctl(2), PR_SET_PDEATHSIG
        }

        task.Context.ResetFpuState();
        old.RemoveUser();
        task.VforkGate?.Open();
        task.VforkGate = null;
        TraceStops.Exec(task, formerTid);

        return Errno.None;
    }

    // Afterwards the task is the only one, and has the process' id.
    private static Errno EndOtherThreads(GuestTask task)
    {
        ThreadGroup group = task.ThreadGroup;
        lock (task.Kernel.TaskLock)
        {
            if (group.IsExiting || group.Executing is not null)
            {
                return Errno.ERESTARTNOINTR;
            }

            group.Executing = task;
            foreach (GuestTask other in group.Tasks)
            {
                if (other != task)
                {
                    SignalSender.Wake(other);
                }
            }
        }

        while (true)
        {
            lock (task.Kernel.TaskLock)
            {
                if (group.Tasks.Count == 1)
                {
                    break;
                }

                if (group.IsExiting)
                {
                    group.Executing = null;
                    return Errno.ERESTARTNOINTR;
                }
            }

            task.ParkUninterruptibly();
        }

        lock (task.Kernel.TaskLock)
        {
            if (group.Leader != task)
            {
                TraceLinks.Forget(group.Leader);
                PidNamespace.Free(task.Id, keepReserved: false);
                task.Id = group.Id;
                group.Leader = task;
                PidNamespace.Replace(task.Id, task);
            }
        }

        return Errno.None;
    }
}
