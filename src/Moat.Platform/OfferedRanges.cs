using Moat.Linux;

namespace Moat.Platform;

/// <summary>What may be mapped into a stub when something else has to be done there: disjoint ranges, a bounded number of them. The caller locks.</summary>
/// <remarks>An offer is gone as soon as anything else is said of its addresses: the file that it names may be closed from then on.</remarks>
internal sealed class OfferedRanges
{
    private const int MaxOffers = 64;

    private readonly List<Offered> _offers = [];

    /// <summary>Adds a range; if there are too many, it is left to a fault.</summary>
    public void Add(in Offered offer)
    {
        Cut(offer.Start, offer.End);
        if (_offers.Count < MaxOffers)
        {
            _offers.Add(offer);
        }
    }

    /// <summary>Takes a range out of what is offered.</summary>
    public void Cut(ulong start, ulong end)
    {
        for (int i = _offers.Count - 1; i >= 0; i--)
        {
            Offered offer = _offers[i];
            if (offer.Start >= end || offer.End <= start)
            {
                continue;
            }

            _offers.RemoveAt(i);
            if (offer.Start < start)
            {
                _offers.Add(offer with { End = start });
            }

            if (offer.End > end)
            {
                _offers.Add(offer with { Start = end, FileOffset = offer.FileOffset + (end - offer.Start) });
            }
        }
    }

    /// <summary>Whether there is an offer at an address that permits the access.</summary>
    public bool Contains(ulong address, MemoryAccess access)
    {
        foreach (Offered offer in _offers)
        {
            if (address >= offer.Start && address < offer.End)
            {
                return (access & ~offer.Access) == 0;
            }
        }

        return false;
    }

    /// <summary>Whether any offer has an address of the range.</summary>
    public bool Overlaps(ulong start, ulong end)
    {
        foreach (Offered offer in _offers)
        {
            if (offer.Start < end && offer.End > start)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Takes one offer out.</summary>
    public bool TryTake(out Offered offer)
    {
        offer = default;
        if (_offers.Count == 0)
        {
            return false;
        }

        offer = _offers[^1];
        _offers.RemoveAt(_offers.Count - 1);
        return true;
    }
}
