namespace Moat.Kernel.Memory;

/// <summary>A page of trampolines in an address space: executable, and in no mapping that the application knows of.</summary>
/// <param name="address">Where it is.</param>
/// <param name="page">The page of the memory file.</param>
/// <param name="capacity">How many it holds.</param>
internal sealed class TrampolinePage(ulong address, int page, int capacity)
{
    private readonly List<PatchedSite> _sites = [];

    /// <summary>Where it is.</summary>
    public ulong Address => address;

    /// <summary>The page of the memory file.</summary>
    public int Page => page;

    /// <summary>Whether nothing may be added.</summary>
    public bool IsFull => _sites.Count == capacity;

    /// <summary>How many there are.</summary>
    public int Count => _sites.Count;

    /// <summary>The site of a trampoline.</summary>
    public PatchedSite this[int index] => _sites[index];

    /// <summary>Notes the next one.</summary>
    public void Add(PatchedSite site) => _sites.Add(site);

    /// <summary>The same page for another address space. Neither may add to it as long as both have it.</summary>
    public TrampolinePage Share()
    {
        TrampolinePage copy = new(address, page, capacity);
        copy._sites.AddRange(_sites);
        return copy;
    }
}
