namespace Moat.Platform;

/// <summary>The pages that a stub keeps for its application: what was mapped and unmapped is mapped again at the same place more often than not, and then nothing but the access to it has to change.
/// Disjoint, a bounded number. The caller locks.</summary>
internal sealed class KeptRuns
{
    /// <summary>How many pages are kept at most.</summary>
    public const int MaxPages = 512;

    private const int MaxRuns = 32;

    private readonly List<KeptRun> _runs = []; // the oldest first
    private int _pages;

    /// <summary>Adds pages, if there may be so many in the file.</summary>
    public bool TryAdd(in KeptRun run)
    {
        if (run.Pages > MaxPages || !run.File.TryCountKept(run.Pages))
        {
            return false;
        }

        _pages += run.Pages;
        _runs.Add(run);
        return true;
    }

    /// <summary>Takes the oldest pages out if there are too many.</summary>
    public bool TryTakeSurplus(out KeptRun run)
    {
        run = default;
        if (_pages <= MaxPages && _runs.Count <= MaxRuns)
        {
            return false;
        }

        run = _runs[0];
        Cut(0, run);
        return true;
    }

    /// <summary>Whether any page is in a range.</summary>
    public bool Overlaps(ulong start, ulong end) => IndexOf(start, end) >= 0;

    /// <summary>Whether one more run can be added without another having to go.</summary>
    public bool HasRoom(int pages) => _pages + pages <= MaxPages && _runs.Count < MaxRuns;

    /// <summary>Takes pages out from an address on.</summary>
    /// <param name="address">Where the first one is.</param>
    /// <param name="file">The file they are in.</param>
    /// <param name="maxPages">How many are useful.</param>
    /// <param name="run">What was there.</param>
    public bool TryTake(ulong address, MemoryFile file, int maxPages, out KeptRun run)
    {
        int index = IndexOf(address, address + 1);
        run = index >= 0 && _runs[index].File == file ? _runs[index].Within(address, address + ((ulong)maxPages * MemoryFile.PageSize)) : default;
        if (run.Pages == 0)
        {
            return false;
        }

        Cut(index, run);
        return true;
    }

    /// <summary>Takes one run of those that have addresses in a range out, as far as it has.</summary>
    public bool TryTakeFrom(ulong start, ulong end, out KeptRun run)
    {
        int index = IndexOf(start, end);
        run = index >= 0 ? _runs[index].Within(start, end) : default;
        if (index < 0)
        {
            return false;
        }

        Cut(index, run);
        return true;
    }

    private int IndexOf(ulong start, ulong end)
    {
        for (int i = 0; i < _runs.Count; i++)
        {
            if (_runs[i].Start < end && _runs[i].End > start)
            {
                return i;
            }
        }

        return -1;
    }

    // What is left of the run stays.
    private void Cut(int index, in KeptRun taken)
    {
        KeptRun whole = _runs[index];
        _runs.RemoveAt(index);
        if (whole.Start < taken.Start)
        {
            _runs.Insert(index++, whole.Within(whole.Start, taken.Start));
        }

        if (whole.End > taken.End)
        {
            _runs.Insert(index, whole.Within(taken.End, whole.End));
        }

        _pages -= taken.Pages;
        taken.File.UncountKept(taken.Pages);
    }
}
