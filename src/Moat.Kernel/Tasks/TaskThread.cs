using Moat.Platform;

namespace Moat.Kernel.Tasks;

/// <summary>A thread of the host for tasks, one after another. A task has it before it has anything else, so that a host that has no more threads is noticed before there is a task.</summary>
/// <param name="pool">Where it goes between two tasks.</param>
internal sealed class TaskThread(TaskThreadPool pool)
{
    private const int StackBytes = 512 << 10;

    private readonly ThreadParker _gate = new();
    private GuestTask? _given; // handed over by _gate
    private bool _isOver; // handed over by _gate

    /// <summary>Starts it, without a task.</summary>
    /// <exception cref="OutOfMemoryException">The host has no more threads.</exception>
    /// <exception cref="ThreadStartException">As above.</exception>
    public void Begin() => new Thread(Run, StackBytes) { IsBackground = true }.Start();

    /// <summary>Runs a task to its end.</summary>
    public void Start(GuestTask task)
    {
        Volatile.Write(ref _given, task);
        _gate.Unpark();
    }

    /// <summary>There is no task for it after all.</summary>
    public void Abandon()
    {
        if (!pool.TryKeep(this))
        {
            Volatile.Write(ref _isOver, true);
            _gate.Unpark();
        }
    }

    private void Run()
    {
        do
        {
            while (Volatile.Read(ref _given) is null)
            {
                if (Volatile.Read(ref _isOver))
                {
                    return;
                }

                _gate.Park(long.MaxValue);
            }

            TaskLoop.Run(Interlocked.Exchange(ref _given, null)!);
        }
        while (pool.TryKeep(this));
    }
}
