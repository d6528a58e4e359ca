namespace Moat.Platform.Systrap;

/// <summary>Counts the calls of a space's most frequent <c>syscall</c> instructions. Any thread.</summary>
/// <remarks>An instruction shares its place with one other: programs call from a few places in turn, which must not push one another out before they are counted to the end.
/// Nobody locks: a count that two threads make at once may be one short, or both hear that the instruction is hot.</remarks>
internal sealed class HotSites
{
    private const int PairBits = 7;
    private const int Threshold = 24;
    private const int Again = 4096; // what traps so often although it was hot is worth another try: a patch may have had to go

    private readonly (ulong Address, int Calls)[] _sites = new (ulong, int)[2 << PairBits];

    /// <summary>Counts a call; returns whether it was the one that makes the instruction hot, or still hot a long time later.</summary>
    public bool Count(ulong address)
    {
        const ulong Golden = 0x9e3779b97f4a7c15;
        int pair = (int)((address * Golden) >> (64 - PairBits)) * 2;
        ref (ulong Address, int Calls) first = ref _sites[pair];
        ref (ulong Address, int Calls) second = ref _sites[pair + 1];
        if (first.Address == address || second.Address == address)
        {
            ref (ulong Address, int Calls) site = ref first.Address == address ? ref first : ref second;
            int calls = ++site.Calls;
            site.Calls = calls >= Again ? Threshold : calls;
            return calls is Threshold or Again;
        }

        // One that is hot has been dealt with; otherwise the rarer one goes.
        ref (ulong Address, int Calls) victim = ref Unfinished(first.Calls) <= Unfinished(second.Calls) ? ref first : ref second;
        victim = (address, 1);
        return false;
    }

    private static int Unfinished(int calls) => calls < Threshold ? calls : 0;
}
