namespace Moat.Platform.Systrap;

/// <summary>References on pages that a space has shown, until it certainly shows them no more. The caller locks.</summary>
internal sealed class RetiredPages
{
    private readonly List<(MemoryFile File, int Page, int Pages)> _runs = [];

    /// <summary>How many pages there are.</summary>
    public int Count { get; private set; }

    /// <summary>Takes over the references on some pages.</summary>
    public void Add(MemoryFile file, int page, int pages)
    {
        _runs.Add((file, page, pages));
        Count += pages;
    }

    /// <summary>Takes over those that were kept until an order that has yet to be carried out.</summary>
    public void AddDropped(StubOrders orders)
    {
        while (orders.TryTakeDropped(out KeptRun run))
        {
            Add(run.File, run.Page, run.Pages);
        }
    }

    /// <summary>Gives all of them back.</summary>
    public void Release()
    {
        foreach ((MemoryFile file, int page, int pages) in _runs)
        {
            file.Release(page, pages);
        }

        _runs.Clear();
        Count = 0;
    }
}
