namespace Moat.Platform.Systrap;

/// <summary>How long one side of a hand-over looks for the other before it sleeps: as long as it pays. Looking in vain twice in a row, or once in five times for a while, ends it for some time,
/// which doubles with each attempt that fails again: then others have the processors.</summary>
internal struct SpinBudget
{
    private const int MaxLooks = 1000; // some 20 µs
    private const int MaxPause = 512;
    private const int Failure = 4; // as much as so many successes
    private const int MaxDebt = 8;

    private int _debt;
    private int _pause;
    private int _left;

    /// <summary>How often to look this time.</summary>
    public int Next()
    {
        if (_left > 0)
        {
            _left--;
            return 0;
        }

        return MaxLooks;
    }

    /// <summary>Takes note of how it went, if there was looking.</summary>
    /// <param name="looks">What <see cref="Next"/> said.</param>
    /// <param name="hasSlept">Whether it ended in sleep.</param>
    public void Note(int looks, bool hasSlept)
    {
        if (looks == 0)
        {
            return;
        }

        if (!hasSlept)
        {
            _debt = Math.Max(0, _debt - 1);
            _pause = _debt == 0 ? 0 : _pause;
            return;
        }

        _debt += Failure;
        if (_debt >= MaxDebt)
        {
            _debt = MaxDebt - Failure; // the next failure ends it at once
            _pause = Math.Min(MaxPause, (_pause * 2) + 8);
            _left = _pause;
        }
    }
}
