using Moat.Kernel.Signals;

namespace Moat.Kernel.Tasks;

/// <summary>A container of the sandbox: what an engine lists, signals, counts and ends together, whatever namespaces it is in. A process is in that of its parent. Guarded by
/// <see cref="SentryKernel.TaskLock"/>.</summary>
/// <param name="kernel">The kernel.</param>
/// <param name="pids">The pid namespace that its processes start in.</param>
/// <param name="ipc">Their IPC namespace.</param>
/// <param name="observer">Told of its end and of that of each process in it; null for nobody.</param>
public sealed class GuestContainer(SentryKernel kernel, PidNamespace pids, Ipc.IpcNamespace ipc, IProcessObserver? observer)
{
    private volatile bool _isPaused; // written under the task lock

    /// <summary>The kernel. Any thread.</summary>
    public SentryKernel Kernel => kernel;

    /// <summary>The pid namespace that its processes start in. Any thread.</summary>
    public PidNamespace Pids => pids;

    /// <summary>The IPC namespace that its processes start in. Any thread.</summary>
    public Ipc.IpcNamespace Ipc => ipc;

    /// <summary>Its first process: with it the container ends.</summary>
    public ThreadGroup? Init { get; internal set; }

    /// <summary>The terminal that it was given, /dev/console; null if none. Any thread.</summary>
    public ITerminal? Console { get; set; }

    /// <summary>How many of its tasks there are.</summary>
    public int TaskCount { get; private set; }

    /// <summary>Its processes, zombies included, by number.</summary>
    public List<ThreadGroup> ListProcesses()
    {
        List<ThreadGroup> list = [];
        foreach (ThreadGroup process in pids.ListProcesses())
        {
            if (process.Container == this)
            {
                list.Add(process);
            }
        }

        return list;
    }

    /// <summary>Stops its tasks before they go on in the application, or lets them. Those that sleep in a call stay there: what they wait for may come meanwhile.</summary>
    public void SetPaused(bool isPaused)
    {
        _isPaused = isPaused;
        foreach (ThreadGroup process in ListProcesses())
        {
            foreach (GuestTask task in process.Tasks)
            {
                SignalSender.Wake(task);
            }
        }
    }

    /// <summary>Called by a task that was interrupted: waits as long as the container is paused. Without the lock.</summary>
    internal void Rest(GuestTask task)
    {
        while (_isPaused && !task.ThreadGroup.IsExiting)
        {
            task.ParkUninterruptibly();
        }
    }

    internal void AddTask() => TaskCount++;

    internal void RemoveTask()
    {
        if (--TaskCount == 0)
        {
            observer?.OnEmpty();
        }
    }

    // With the first process everything else goes, as pid_namespaces(7) has it for a namespace.
    internal void OnProcessExit(ThreadGroup process)
    {
        observer?.OnProcessExit(process);
        if (process != Init)
        {
            return;
        }

        foreach (ThreadGroup other in ListProcesses())
        {
            if (other != process)
            {
                ProcessExit.EndGroup(other, (int)Linux.Signal.SIGKILL);
            }
        }

        observer?.OnInitExit(process.ExitStatus);
    }
}
