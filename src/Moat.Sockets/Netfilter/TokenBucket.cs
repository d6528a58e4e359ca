namespace Moat.Sockets.Netfilter;

/// <summary>Time that has been saved up, and that each packet costs some of. Any thread.</summary>
/// <param name="roomNs">How much may be saved.</param>
internal sealed class TokenBucket(long roomNs)
{
    private readonly Lock _lock = new();
    private readonly long _roomNs = roomNs;
    private long _savedNs = roomNs; // guarded by _lock
    private long? _lastNs; // guarded by _lock

    /// <summary>Takes a packet's cost.</summary>
    /// <returns>False if not so much has been saved.</returns>
    public bool TryTake(long nowNs, long costNs)
    {
        lock (_lock)
        {
            long passed = nowNs - (_lastNs ?? nowNs);
            _lastNs = nowNs;
            _savedNs = passed >= _roomNs - _savedNs ? _roomNs : _savedNs + passed;
            if (_savedNs < costNs)
            {
                return false;
            }

            _savedNs -= costNs;
            return true;
        }
    }
}
