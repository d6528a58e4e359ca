using Moat.Kernel.Credentials;
using Moat.Kernel.Loader;
using Moat.Kernel.Memory;
using Moat.Kernel.Namespaces;
using Moat.Kernel.Signals;
using Moat.Kernel.Vfs;
using Moat.Linux;
using Moat.Platform;

namespace Moat.Kernel.Tasks;

/// <summary>Makes a process out of nothing, for whoever controls the sandbox: a task that exists before its program, so that the boot can use it to build its tree.</summary>
public static class InitialProcess
{
    /// <summary>Makes a task with an empty address space and no descriptors.</summary>
    /// <exception cref="InvalidOperationException">The host refuses an address space.</exception>
    public static GuestTask Create(GuestContainer container, MountNamespace mounts, TaskCredentials credentials, UtsNamespace uts, NetworkNamespace network, ResourceLimits limits)
    {
        SentryKernel kernel = container.Kernel;
        if (!kernel.Platform.NewAddressSpace().TryGet(out IAddressSpace? space, out Errno errno))
        {
            throw new InvalidOperationException($"no address space for the first process: {errno}");
        }

        MemoryManager memory = new(kernel.MemoryFile, space, AddressLayout.Draw(kernel.Platform, kernel.Random, 8 << 20), kernel.Platform.CallSites);
        ThreadGroup group = new(container, container.Pids, null, Signal.SIGCHLD, new SignalActions(), limits);
        FsContext fs = new(mounts, mounts.RootLocation, mounts.RootLocation, (Mode)0x12);
        network.AddUser();
        container.Ipc.AddUser();
        GuestTask task = new(kernel, group, memory, new FdTable(), fs, credentials, uts, network, kernel.Platform.NewContext());
        lock (kernel.TaskLock)
        {
            task.Id = container.Pids.Allocate(task).TryGet(out TaskId? id, out errno) ? id : throw new InvalidOperationException($"no process id: {errno}");
            group.Leader = task;
            group.Tasks.Add(task);
            Session session = new(task.Id);
            group.ProcessGroup = new ProcessGroup(task.Id, session);
            group.ProcessGroup.Members.Add(group);
            session.Groups.Add(group.ProcessGroup);
            task.EnterIpc(container.Ipc);
            container.Pids.SetInit(group);
            container.Init ??= group;
            container.AddTask();
            kernel.CountCreated();
        }

        return task;
    }

    /// <summary>Ends a created task whose program could not be started.</summary>
    public static void Abandon(GuestTask task)
    {
        const int Failed = 255 << 8;
        ProcessExit.EndTask(task, Failed);
    }

    /// <summary>Loads the program and lets it run.</summary>
    /// <returns>What execve(2) would say.</returns>
    public static Errno Start(GuestTask task, byte[] path, IReadOnlyList<byte[]> arguments, IReadOnlyList<byte[]> environment)
    {
        if (!ProgramLoader.OpenExecutable(task, task.Fs.WorkingDirectory, path, WalkFlags.None).TryGet(out FileDescription? file, out Errno errno))
        {
            return errno;
        }

        if (!task.Kernel.TaskThreads.Take().TryGet(out TaskThread? thread, out errno))
        {
            file.Release();
            return errno;
        }

        errno = ProgramExecution.Execute(task, file, path, arguments, environment);
        file.Release();
        if (errno == Errno.None)
        {
            task.KeepsRegisters = false;
            thread.Start(task);
        }
        else
        {
            thread.Abandon();
        }

        return errno;
    }
}
