using Moat.Collections;

namespace Moat.Filesystems.EventFiles;

/// <summary>The items of an epoll instance that may be ready, in order. The items are its links, so that becoming ready allocates nothing. Guarded by the instance's ready lock.</summary>
internal sealed class EpollReadyList
{
    private IntrusiveList<EpollItem, Links> _items;

    /// <summary>Who became ready first.</summary>
    public EpollItem? First => _items.First;

    /// <summary>How many there are.</summary>
    public int Count { get; private set; }

    /// <summary>Adds an item at the end, unless it is there.</summary>
    public void Add(EpollItem item)
    {
        if (!item.IsReady)
        {
            item.IsReady = true;
            _items.Add(item);
            Count++;
        }
    }

    /// <summary>Takes an item out, if it is there.</summary>
    public void Remove(EpollItem item)
    {
        if (item.IsReady)
        {
            _items.Remove(item);
            item.IsReady = false;
            Count--;
        }
    }

    /// <summary>Copies the items out, as many as fit.</summary>
    /// <returns>How many.</returns>
    public int CopyTo(Span<EpollItem> items)
    {
        int count = 0;
        for (EpollItem? item = First; item is not null && count < items.Length; item = IntrusiveList<EpollItem, Links>.After(item))
        {
            items[count++] = item;
        }

        return count;
    }

    private readonly struct Links : IListLinks<EpollItem>
    {
        public static ref ListLinks<EpollItem> Of(EpollItem item) => ref item.ReadyLinks;
    }
}
