namespace Moat.Platform.Systrap;

/// <summary>Counts the calls of a context's most frequent <c>syscall</c> instructions.</summary>
internal sealed class HotSites
{
    private const int Size = 64;
    private const int Threshold = 24;

    private readonly (ulong Address, int Calls)[] _sites = new (ulong, int)[Size];

    /// <summary>Counts a call; returns whether it was the one that makes the instruction hot.</summary>
    public bool Count(ulong address)
    {
        ref (ulong Address, int Calls) site = ref _sites[(int)((address ^ (address >> 8)) % Size)];
        if (site.Address != address)
        {
            site = (address, 1);
            return false;
        }

        return site.Calls < Threshold && ++site.Calls == Threshold;
    }
}
