namespace Moat.Kernel.Memory;

/// <summary>The private pages of an address space: which page of the memory file stands at which page of the application. Guarded by the owner's lock.</summary>
internal sealed class PageTable
{
    private const int LeafBits = 9;
    private const int LeafSize = 1 << LeafBits;

    private const int SmallLeaf = 4;
    private const int Spares = 2; // an application that maps and unmaps makes and empties a leaf each time, or the two that its range lies across

    // A leaf ends where no page was ever put behind: small files have small ones.
    private readonly Dictionary<ulong, int[]> _leaves = []; // none of them empty
    private readonly int[]?[] _spares = new int[]?[Spares]; // all zero
    private int _spareCount;

    /// <summary>How many pages there are.</summary>
    public long Count { get; private set; }

    /// <summary>How many parts of the table are there, each for 512 pages.</summary>
    public int LeafCount => _leaves.Count;

    /// <summary>The page of the memory file at application page <paramref name="index"/>, or -1.</summary>
    public int this[ulong index] => _leaves.TryGetValue(index >> LeafBits, out int[]? leaf) && (int)(index & (LeafSize - 1)) is int slot && slot < leaf.Length ? leaf[slot] - 1 : -1;

    /// <summary>Puts a page in; returns the one that was there, or -1.</summary>
    public int Set(ulong index, int page)
    {
        int at = (int)(index & (LeafSize - 1));
        if (!_leaves.TryGetValue(index >> LeafBits, out int[]? leaf) || at >= leaf.Length)
        {
            leaf = Grow(leaf, index);
            _leaves[index >> LeafBits] = leaf;
        }

        ref int slot = ref leaf[at];
        int before = slot - 1;
        slot = page + 1;
        Count += before < 0 ? 1 : 0;
        return before;
    }

    /// <summary>Takes out all pages of a range and hands each to <paramref name="removed"/>.</summary>
    public void Remove(ulong first, ulong end, Action<ulong, int> removed)
    {
        Visit(first, end, (leaf, slot, index) =>
        {
            int page = leaf[slot] - 1;
            leaf[slot] = 0;
            Count--;
            removed(index, page);
        }, dropsEmpty: true);
    }

    /// <summary>Hands each page of a range to <paramref name="found"/>.</summary>
    public void ForEach(ulong first, ulong end, Action<ulong, int> found) =>
        Visit(first, end, (leaf, slot, index) => found(index, leaf[slot] - 1));

    /// <summary>The first page from <paramref name="from"/> on that is there; <see cref="ulong.MaxValue"/> if there is none.</summary>
    public ulong FirstPresent(ulong from)
    {
        if (this[from] >= 0)
        {
            return from;
        }

        ulong best = ulong.MaxValue;
        foreach ((ulong key, int[] leaf) in _leaves)
        {
            ulong start = key << LeafBits;
            if (start >= best || start + (ulong)leaf.Length <= from)
            {
                continue;
            }

            int skip = from > start ? (int)(from - start) : 0;
            int slot = leaf.AsSpan(skip).IndexOfAnyExcept(0);
            best = slot < 0 ? best : Math.Min(best, start + (ulong)(skip + slot));
        }

        return best;
    }

    /// <summary>The first pages of a range that are there and are neighbours in the memory file too.</summary>
    public bool TryFindRun(ulong from, ulong end, out ulong first, out int page, out int length)
    {
        first = from < end ? FirstPresent(from) : end;
        page = length = 0;
        if (first >= end)
        {
            return false;
        }

        page = this[first];
        length = 1;
        while (first + (ulong)length < end && this[first + (ulong)length] == page + length)
        {
            length++;
        }

        return true;
    }

    /// <summary>The first page from <paramref name="from"/> on that is not there.</summary>
    public ulong FirstAbsent(ulong from)
    {
        while (_leaves.TryGetValue(from >> LeafBits, out int[]? leaf))
        {
            int skip = (int)(from & (LeafSize - 1));
            int slot = skip < leaf.Length ? leaf.AsSpan(skip).IndexOf(0) : 0;
            if (slot >= 0)
            {
                return from + (ulong)slot;
            }

            if (leaf.Length < LeafSize)
            {
                return from + (ulong)(leaf.Length - skip);
            }

            from += (ulong)(LeafSize - skip);
        }

        return from;
    }

    // A leaf that has a place for an index: only the first one starts small.
    private int[] Grow(int[]? leaf, ulong index)
    {
        int size = index < SmallLeaf ? SmallLeaf : index < SmallLeaf * SmallLeaf ? SmallLeaf * SmallLeaf : LeafSize;
        if (leaf is null && size == LeafSize && _spareCount > 0)
        {
            return _spares[--_spareCount]!;
        }

        Array.Resize(ref leaf, size);
        return leaf;
    }

    private void Visit(ulong first, ulong end, Action<int[], int, ulong> visit, bool dropsEmpty = false)
    {
        ulong leaves = ((end - 1) >> LeafBits) - (first >> LeafBits) + 1;
        if (leaves > (ulong)_leaves.Count)
        {
            // The range is larger than what there is.
            ulong[] keys = [.. _leaves.Keys];
            Array.Sort(keys);
            foreach (ulong key in keys)
            {
                if (key >= first >> LeafBits && key <= (end - 1) >> LeafBits)
                {
                    VisitLeaf(key, first, end, visit, dropsEmpty);
                }
            }

            return;
        }

        for (ulong key = first >> LeafBits; key <= (end - 1) >> LeafBits; key++)
        {
            VisitLeaf(key, first, end, visit, dropsEmpty);
        }
    }

    private void VisitLeaf(ulong key, ulong first, ulong end, Action<int[], int, ulong> visit, bool dropsEmpty)
    {
        if (!_leaves.TryGetValue(key, out int[]? leaf))
        {
            return;
        }

        ulong start = key << LeafBits;
        int from = first > start ? (int)(first - start) : 0;
        int to = end < start + LeafSize ? (int)(end - start) : LeafSize;
        for (int slot = from; slot < Math.Min(to, leaf.Length); slot++)
        {
            if (leaf[slot] != 0)
            {
                visit(leaf, slot, start + (ulong)slot);
            }
        }

        if (dropsEmpty && !leaf.AsSpan().ContainsAnyExcept(0))
        {
            _leaves.Remove(key);
            if (leaf.Length == LeafSize && _spareCount < Spares)
            {
                _spares[_spareCount++] = leaf;
            }
        }
    }
}
