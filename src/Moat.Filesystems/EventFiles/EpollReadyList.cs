namespace Moat.Filesystems.EventFiles;

/// <summary>The items of an epoll instance that may be ready, in order. The items are its links, so that becoming ready allocates nothing. Guarded by the instance's ready lock.</summary>
internal sealed class EpollReadyList
{
    private EpollItem? _last;

    /// <summary>Who became ready first.</summary>
    public EpollItem? First { get; private set; }

    /// <summary>How many there are.</summary>
    public int Count { get; private set; }

    /// <summary>Adds an item at the end, unless it is there.</summary>
    public void Add(EpollItem item)
    {
        if (item.IsReady)
        {
            return;
        }

        item.IsReady = true;
        item.PreviousReady = _last;
        if (_last is { } last)
        {
            last.NextReady = item;
        }
        else
        {
            First = item;
        }

        _last = item;
        Count++;
    }

    /// <summary>Takes an item out, if it is there.</summary>
    public void Remove(EpollItem item)
    {
        if (!item.IsReady)
        {
            return;
        }

        if (item.PreviousReady is { } previous)
        {
            previous.NextReady = item.NextReady;
        }
        else
        {
            First = item.NextReady;
        }

        if (item.NextReady is { } next)
        {
            next.PreviousReady = item.PreviousReady;
        }
        else
        {
            _last = item.PreviousReady;
        }

        item.IsReady = false;
        item.NextReady = null;
        item.PreviousReady = null;
        Count--;
    }

    /// <summary>Copies the items out, as many as fit.</summary>
    /// <returns>How many.</returns>
    public int CopyTo(Span<EpollItem> items)
    {
        int count = 0;
        for (EpollItem? item = First; item is not null && count < items.Length; item = item.NextReady)
        {
            items[count++] = item;
        }

        return count;
    }
}
