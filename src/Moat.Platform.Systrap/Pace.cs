namespace Moat.Platform.Systrap;

/// <summary>Whether a task's calls come so thick that either side is worth a processor of its own.</summary>
internal struct Pace
{
    private const long DenseNs = 12_000;
    private const long DenseSharedNs = 4_000; // where two compute on one processor meanwhile
    private const int Enough = 16;
    private const int Most = 32;
    private const int Pause = 4; // as much as so many close calls

    private int _score;

    /// <summary>Whether they do.</summary>
    public bool IsDense { get; private set; }

    /// <summary>Takes note of a call.</summary>
    /// <param name="ns">How long after the last one's end it came.</param>
    /// <param name="isShared">Whether other tasks want the same processors.</param>
    public void Note(long ns, bool isShared)
    {
        _score = ns < (isShared ? DenseSharedNs : DenseNs) ? Math.Min(_score + 1, Most) : Math.Max(_score - Pause, 0);
        IsDense = _score >= (IsDense ? 1 : Enough);
    }
}
