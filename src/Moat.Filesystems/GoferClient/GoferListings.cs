namespace Moat.Filesystems.GoferClient;

/// <summary>Which directories of a tree that nobody changes have their listing kept: the last ones that were read, as long as all of them together have no more than so many entries. Any thread.</summary>
internal sealed class GoferListings
{
    /// <summary>The largest listing that is kept.</summary>
    public const int MaxEntries = 8192;

    private const int MaxTotal = 4 * MaxEntries;

    private readonly Lock _lock = new();
    private readonly Queue<(GoferInode Directory, GoferListing Listing)> _kept = new(); // guarded by _lock
    private int _total; // guarded by _lock

    /// <summary>Keeps a listing.</summary>
    public void Add(GoferInode directory, GoferListing listing)
    {
        lock (_lock)
        {
            directory.Listing = listing;
            _kept.Enqueue((directory, listing));
            _total += Weight(listing);
            while (_total > MaxTotal && _kept.TryDequeue(out (GoferInode Directory, GoferListing Listing) oldest))
            {
                _total -= Weight(oldest.Listing);
                if (oldest.Directory.Listing == oldest.Listing)
                {
                    oldest.Directory.Listing = null;
                }
            }
        }
    }

    // An empty one takes room as well.
    private static int Weight(GoferListing listing) => listing.Total + 1;
}
