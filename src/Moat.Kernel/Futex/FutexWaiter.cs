using Moat.Kernel.Tasks;

namespace Moat.Kernel.Futex;

/// <summary>A task waiting on a futex word. Guarded by the <see cref="FutexTable"/>'s lock.</summary>
internal sealed class FutexWaiter(GuestTask task, FutexKey key, uint bitset)
{
    public GuestTask Task { get; } = task;

    public FutexKey Key { get; set; } = key;

    public uint Bitset { get; } = bitset;

    /// <summary>Whether it has been taken off the queue by a wake-up.</summary>
    public bool IsWoken { get; set; }
}
