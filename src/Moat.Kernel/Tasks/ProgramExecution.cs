using Moat.Kernel.Credentials;
using Moat.Kernel.Loader;
using Moat.Kernel.Memory;
using Moat.Kernel.Signals;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Kernel.Tasks;

/// <summary>The task's side of execve(2): the other threads end, the new program takes the task over.</summary>
public static class ProgramExecution
{
    /// <summary>Replaces the calling task's program.</summary>
    /// <returns>An errno while the old program can still go on.</returns>
    public static Errno Execute(GuestTask task, FileDescription file, byte[] path, IReadOnlyList<byte[]> arguments, IReadOnlyList<byte[]> environment)
    {
        if (!ProgramLoader.Load(task, file, path, arguments, environment).TryGet(out LoadedProgram? program, out Errno errno))
        {
            return errno;
        }

        errno = EndOtherThreads(task);
        if (errno != Errno.None)
        {
            program.Memory.RemoveUser();
            return errno;
        }

        task.Kernel.Futexes.ReleaseRobustList(task);
        MemoryManager old = task.Memory;
        task.Memory = program.Memory;
        task.Registers = program.Registers;
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
            group.IsDumpable = true;
            group.Timers.DeletePosixTimers();
            group.Executing = null;
            task.Signals.AlternateStack = AlternateStack.None;
            task.Credentials = AfterExecute(task.Credentials);
        }

        task.Context.ResetFpuState();
        old.RemoveUser();
        task.VforkGate?.Open();
        task.VforkGate = null;
        return Errno.None;
    }

    // capabilities(7), "Transformation of capabilities during execve()", for files without capabilities or set-id bits.
    private static TaskCredentials AfterExecute(TaskCredentials who)
    {
        bool isRoot = who.EffectiveUid == 0 || who.RealUid == 0;
        CapabilitySet permitted = isRoot ? who.Inheritable | who.Bounding : who.Ambient;
        CapabilitySet effective = who.EffectiveUid == 0 ? permitted : who.Ambient;
        return who with
        {
            SavedUid = who.EffectiveUid,
            FilesystemUid = who.EffectiveUid,
            SavedGid = who.EffectiveGid,
            FilesystemGid = who.EffectiveGid,
            Permitted = permitted,
            Effective = effective,
            Ambient = isRoot ? default : who.Ambient,
            SecureBits = who.SecureBits & ~0x10u, // SECBIT_KEEP_CAPS
        };
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
                int pid = group.Leader.Tid;
                task.Kernel.Pids.Free(task.Tid, keepReserved: false);
                task.Tid = pid;
                group.Leader = task;
                task.Kernel.Pids.Replace(pid, task);
            }
        }

        return Errno.None;
    }
}
