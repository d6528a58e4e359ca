using System.Runtime.CompilerServices;

namespace Moat.Platform;

/// <summary>Threads that are to be woken when the caller has left its locks: one that wakes earlier runs into them and sleeps again.</summary>
public struct PendingWakes
{
    private const int Capacity = 8;

    private Parkers _parkers;
    private int _count;

    /// <summary>Grants a thread its wake-up; if it sleeps, <see cref="Flush"/> ends that.</summary>
    public void Add(ThreadParker parker)
    {
        ArgumentNullException.ThrowIfNull(parker);
        if (!parker.Grant())
        {
            return;
        }

        if (_count < Capacity)
        {
            _parkers[_count++] = parker;
        }
        else
        {
            parker.Wake();
        }
    }

    /// <summary>Wakes them.</summary>
    public void Flush()
    {
        for (int i = 0; i < _count; i++)
        {
            _parkers[i].Wake();
        }

        _count = 0;
    }

    [InlineArray(Capacity)]
    private struct Parkers
    {
        private ThreadParker _first;
    }
}
