using Moat.Linux;

namespace Moat.Kernel.Tasks;

/// <summary>Threads of tasks that have ended, for the next ones: to start a thread costs more than all else in clone(2). Any thread.</summary>
internal sealed class TaskThreadPool
{
    private const int MaxIdle = 8;

    private readonly Lock _lock = new();
    private readonly Stack<TaskThread> _idle = new(); // guarded by _lock

    /// <summary>Takes a thread, which waits for its task.</summary>
    /// <returns>EAGAIN if the host has no more threads.</returns>
    public Result<TaskThread> Take()
    {
        lock (_lock)
        {
            if (_idle.TryPop(out TaskThread? idle))
            {
                return idle;
            }
        }

        TaskThread thread = new(this);
        try
        {
            thread.Begin();
            return thread;
        }
        catch (Exception exception) when (exception is OutOfMemoryException or ThreadStartException)
        {
            return Errno.EAGAIN;
        }
    }

    /// <summary>Takes back a thread without a task; false if there are enough of them.</summary>
    public bool TryKeep(TaskThread thread)
    {
        lock (_lock)
        {
            if (_idle.Count == MaxIdle)
            {
                return false;
            }

            _idle.Push(thread);
            return true;
        }
    }
}
