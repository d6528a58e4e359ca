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
    /// <param name="directory">Whose.</param>
    /// <param name="listing">The listing.</param>
    /// <param name="cameWith">The listing of a directory above that it came with, and which counted for it so far.</param>
    public void Add(GoferInode directory, GoferListing listing, GoferListing? cameWith = null)
    {
        lock (_lock)
        {
            int weight = listing.Total + 1; // an empty one takes room as well
            Charge(listing, weight);
            if (cameWith is not null)
            {
                Charge(cameWith, -Math.Min(weight, cameWith.Charged));
            }

            directory.Listing = listing;
            _kept.Enqueue((directory, listing));
            while (_total > MaxTotal && _kept.TryDequeue(out (GoferInode Directory, GoferListing Listing) oldest))
            {
                Charge(oldest.Listing, -oldest.Listing.Charged);
                if (oldest.Directory.Listing == oldest.Listing)
                {
                    oldest.Directory.Listing = null;
                }
            }
        }
    }

    private void Charge(GoferListing listing, int entries)
    {
        listing.Charged += entries;
        _total += entries;
    }
}
