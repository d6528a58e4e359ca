namespace Moat.Platform.Systrap;

/// <summary>A thread that waits for the end of stub processes that were killed, and then gives their pages and slots back.</summary>
internal sealed class Undertaker
{
    private const int StackBytes = 128 << 10;

    private readonly object _lock = new();
    private readonly Queue<SystrapAddressSpace> _dying = new(); // guarded by _lock
    private bool _isEnding; // guarded by _lock

    /// <summary>Starts the thread.</summary>
    public Undertaker() => new Thread(Run, StackBytes) { IsBackground = true, Name = "undertaker" }.Start();

    /// <summary>Leaves a killed process to the thread.</summary>
    public void Add(SystrapAddressSpace space)
    {
        lock (_lock)
        {
            _dying.Enqueue(space);
            Monitor.Pulse(_lock);
        }
    }

    /// <summary>Ends the thread when nothing is left to do.</summary>
    public void End()
    {
        lock (_lock)
        {
            _isEnding = true;
            Monitor.Pulse(_lock);
        }
    }

    private void Run()
    {
        while (true)
        {
            SystrapAddressSpace space;
            lock (_lock)
            {
                while (_dying.Count == 0)
                {
                    if (_isEnding)
                    {
                        return;
                    }

                    Monitor.Wait(_lock);
                }

                space = _dying.Dequeue();
            }

            space.Bury();
        }
    }
}
