using System.Runtime.InteropServices;
using Moat.Host;

namespace Moat.Platform;

/// <summary>Lets one thread sleep until another wakes it, with the host's precision. A wake-up that comes first is kept: the next sleep returns at once.</summary>
/// <remarks>A futex of the Sentry's own: the runtime's monitors count in milliseconds.</remarks>
public sealed class ThreadParker
{
    private const int Empty = 0;
    private const int Permit = 1;
    private const int Parked = 2;

    private readonly int[] _word = GC.AllocateArray<int>(1, pinned: true);
    private readonly nint _address;

    /// <summary>Awake, without a permit.</summary>
    public ThreadParker() => _address = Marshal.UnsafeAddrOfPinnedArrayElement(_word, 0);

    /// <summary>Takes a wake-up that has come already, instead of a sleep. One thread only.</summary>
    public bool TryTake() => Interlocked.CompareExchange(ref _word[0], Empty, Permit) == Permit;

    /// <summary>Sleeps until <see cref="Unpark"/>, or for <paramref name="timeoutNs"/> nanoseconds (<see cref="long.MaxValue"/>: no limit). May return early for no reason. One thread only.</summary>
    public void Park(long timeoutNs)
    {
        if (Interlocked.Exchange(ref _word[0], Parked) != Permit)
        {
            HostFutex.Wait(_address, Parked, timeoutNs);
        }

        Interlocked.Exchange(ref _word[0], Empty);
    }

    /// <summary>Wakes the sleeper, or the next one. Any thread.</summary>
    public void Unpark()
    {
        if (Grant())
        {
            Wake();
        }
    }

    /// <summary>The first half of <see cref="Unpark"/>; true if the second is needed because somebody sleeps.</summary>
    internal bool Grant() => Interlocked.Exchange(ref _word[0], Permit) == Parked;

    /// <summary>The second half.</summary>
    internal void Wake() => HostFutex.Wake(_address, 1);
}
