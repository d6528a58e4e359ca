namespace Moat.Kernel.Tasks;

/// <summary>The limits of a process (getrlimit(2)). Any thread.</summary>
public sealed class ResourceLimits
{
    public const int Cpu = 0;
    public const int FileSize = 1;
    public const int Data = 2;
    public const int Stack = 3;
    public const int Core = 4;
    public const int Processes = 6;
    public const int OpenFiles = 7;
    public const int LockedMemory = 8;
    public const int AddressSpace = 9;
    public const int PendingSignals = 11;
    public const int Nice = 13;

    /// <summary>How many there are.</summary>
    public const int Count = 16;

    private readonly Lock _lock = new();
    private readonly ResourceLimit[] _limits;

    /// <summary>Linux's defaults.</summary>
    public ResourceLimits()
    {
        _limits = new ResourceLimit[Count];
        Array.Fill(_limits, new ResourceLimit(ResourceLimit.Infinity, ResourceLimit.Infinity));
        _limits[Stack] = new ResourceLimit(8 << 20, ResourceLimit.Infinity);
        _limits[Core] = new ResourceLimit(0, ResourceLimit.Infinity);
        _limits[OpenFiles] = new ResourceLimit(1024, 1 << 20);
        _limits[LockedMemory] = new ResourceLimit(8 << 20, 8 << 20);
        _limits[PendingSignals] = new ResourceLimit(96_000, 96_000);
        _limits[12] = new ResourceLimit(819_200, 819_200); // RLIMIT_MSGQUEUE
        _limits[Nice] = default;
        _limits[14] = default; // RLIMIT_RTPRIO
    }

    private ResourceLimits(ResourceLimit[] limits) => _limits = limits;

    /// <summary>A limit by its RLIMIT_ number.</summary>
    public ResourceLimit Get(int resource)
    {
        lock (_lock)
        {
            return _limits[resource];
        }
    }

    /// <summary>Sets a limit; permission has been checked.</summary>
    public void Set(int resource, ResourceLimit limit)
    {
        lock (_lock)
        {
            _limits[resource] = limit;
        }
    }

    /// <summary>A copy for a new process.</summary>
    public ResourceLimits Clone()
    {
        lock (_lock)
        {
            return new ResourceLimits([.. _limits]);
        }
    }
}
