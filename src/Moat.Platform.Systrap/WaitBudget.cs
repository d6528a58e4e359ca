namespace Moat.Platform.Systrap;

/// <summary>Whether one way of waiting for the other side of a hand-over pays. Failing twice in a row, or once in five times for a while, ends it for some time, which doubles with each attempt that
/// fails again: then others have the processors.</summary>
internal struct WaitBudget
{
    private const int MaxPause = 4096;
    private const int Failure = 4; // as much as so many successes
    private const int MaxDebt = 8;

    private int _debt;
    private int _pause;
    private int _left;

    /// <summary>Whether to wait so this time.</summary>
    public bool Allows()
    {
        if (_left > 0)
        {
            _left--;
            return false;
        }

        return true;
    }

    /// <summary>Takes note of how it went.</summary>
    public void Note(bool hasFailed)
    {
        if (!hasFailed)
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
