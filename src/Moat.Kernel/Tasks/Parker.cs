namespace Moat.Kernel.Tasks;

/// <summary>Lets one thread sleep until another wakes it. A wake-up that comes first is kept: the next sleep returns at once.</summary>
public sealed class Parker
{
    private readonly object _lock = new();
    private bool _permit; // guarded by _lock

    /// <summary>Sleeps until <see cref="Unpark"/>, or for <paramref name="timeoutNs"/> nanoseconds (<see cref="long.MaxValue"/>: no limit). May return early for no reason.</summary>
    public void Park(long timeoutNs)
    {
        lock (_lock)
        {
            if (!_permit)
            {
                if (timeoutNs == long.MaxValue)
                {
                    Monitor.Wait(_lock);
                }
                else
                {
                    Monitor.Wait(_lock, (int)Math.Min(int.MaxValue, (timeoutNs + 999_999) / 1_000_000));
                }
            }

            _permit = false;
        }
    }

    /// <summary>Wakes the sleeper, or the next one.</summary>
    public void Unpark()
    {
        lock (_lock)
        {
            _permit = true;
            Monitor.Pulse(_lock);
        }
    }
}
