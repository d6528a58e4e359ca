namespace Moat.Platform.Systrap;

/// <summary>Waits for the end of stub processes that were killed, and then gives their pages and slots back: when the next one is wanted, or on a thread of its own after a while.
/// Any thread.</summary>
internal sealed class Undertaker
{
    private const int StackBytes = 128 << 10;
    private const int GraceMs = 20;

    private readonly object _lock = new();
    private readonly Queue<SystrapAddressSpace> _dying = new(); // guarded by _lock
    private bool _isIdle; // guarded by _lock: the thread waits for the first one
    private bool _isHurried; // guarded by _lock
    private bool _isEnding; // guarded by _lock

    /// <summary>Starts the thread.</summary>
    public Undertaker() => new Thread(Run, StackBytes) { IsBackground = true, Name = "undertaker" }.Start();

    /// <summary>Takes over a killed process.</summary>
    public void Add(SystrapAddressSpace space)
    {
        lock (_lock)
        {
            _dying.Enqueue(space);
            if (_isIdle)
            {
                _isIdle = false;
                Monitor.Pulse(_lock); // those that come while it waits are seen with this one
            }
        }
    }

    /// <summary>Much memory waits.</summary>
    public void Hurry()
    {
        lock (_lock)
        {
            _isHurried = true;
            Monitor.Pulse(_lock);
        }
    }

    /// <summary>Buries those that are gone already. Without a lock that <see cref="SystrapAddressSpace.Bury"/> wants.</summary>
    public void Sweep()
    {
        while (TryTake(mayWait: false) is { } space)
        {
            space.Bury();
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
        while (WaitForSome())
        {
            while (TryTake(mayWait: true) is { } space)
            {
                space.Bury();
            }
        }
    }

    // Returns when it is time to wait for their end; false when there is nothing left to do.
    private bool WaitForSome()
    {
        lock (_lock)
        {
            while (_dying.Count == 0 && !_isEnding)
            {
                _isIdle = true;
                Monitor.Wait(_lock);
            }

            _isIdle = false;

            if (!_isHurried && !_isEnding)
            {
                Monitor.Wait(_lock, GraceMs);
            }

            _isHurried = false;
            return _dying.Count > 0 || !_isEnding;
        }
    }

    private SystrapAddressSpace? TryTake(bool mayWait)
    {
        lock (_lock)
        {
            return _dying.TryPeek(out SystrapAddressSpace? first) && (mayWait || first.HasEnded()) ? _dying.Dequeue() : null;
        }
    }
}
