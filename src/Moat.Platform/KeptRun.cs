namespace Moat.Platform;

/// <summary>Neighbouring pages of the memory file that a stub still has mapped, without access, where its application had them.</summary>
/// <param name="Start">The first address.</param>
/// <param name="File">The file.</param>
/// <param name="Page">The first page.</param>
/// <param name="Pages">How many there are.</param>
/// <param name="IsZero">Whether they are zero: nobody has had them.</param>
public readonly record struct KeptRun(ulong Start, MemoryFile File, int Page, int Pages, bool IsZero = false)
{
    /// <summary>Behind the last address.</summary>
    public ulong End => Start + ((ulong)Pages * MemoryFile.PageSize);

    /// <summary>The part that lies in a range, which overlaps it.</summary>
    public KeptRun Within(ulong start, ulong end)
    {
        ulong from = Math.Max(start, Start);
        return new KeptRun(from, File, Page + (int)((from - Start) / MemoryFile.PageSize), (int)((Math.Min(end, End) - from) / MemoryFile.PageSize), IsZero);
    }
}
