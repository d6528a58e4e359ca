using System.Runtime.CompilerServices;

namespace Moat.Kernel.Memory;

/// <summary>Pages that a private mapping has been given in one go.</summary>
internal struct MadePages
{
    /// <summary>The first one, as a page number of the address space.</summary>
    public ulong First;

    /// <summary>Behind the last one.</summary>
    public ulong End;

    /// <summary>Whether all of them have memory of the host, or will be touched next.</summary>
    public bool IsPopulated;

    /// <summary>How many pages of the memory file they replace.</summary>
    public int ReplacedCount;

    /// <summary>Those.</summary>
    public PageNumbers Replaced;

    /// <summary>Room for as many pages as are copied at once.</summary>
    [InlineArray(PrivatePages.ChunkPages)]
    public struct PageNumbers
    {
        private int _first;
    }
}
