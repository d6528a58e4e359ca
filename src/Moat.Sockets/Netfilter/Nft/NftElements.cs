using System.Diagnostics.CodeAnalysis;

namespace Moat.Sockets.Netfilter.Nft;

/// <summary>The elements of a set as packets are looked up in them. Immutable.</summary>
internal sealed class NftElements
{
    private readonly Dictionary<byte[], NftElement>.AlternateLookup<ReadOnlySpan<byte>> _exact;
    private readonly NftElement[] _ordered; // intervals: starts and ends by key
    private readonly NftElement[] _ranges; // elements with a range of their own
    private readonly NftElement? _catchAll;
    private readonly int[] _fields;

    /// <summary>Makes an index of elements.</summary>
    /// <param name="elements">They.</param>
    /// <param name="isInterval">Whether a key without a range of its own begins an interval.</param>
    /// <param name="fields">The lengths of a concatenation's parts.</param>
    public NftElements(IReadOnlyCollection<NftElement> elements, bool isInterval, int[] fields)
    {
        _fields = fields;
        _exact = new Dictionary<byte[], NftElement>(KeyComparer.Instance).GetAlternateLookup<ReadOnlySpan<byte>>();
        List<NftElement> ordered = [];
        List<NftElement> ranges = [];
        foreach (NftElement element in elements)
        {
            if ((element.Flags & NftElement.CatchAll) != 0)
            {
                _catchAll = element;
            }
            else if (element.KeyEnd is not null)
            {
                ranges.Add(element);
            }
            else if (isInterval)
            {
                ordered.Add(element);
            }
            else
            {
                _exact[element.Key] = element;
            }
        }

        // Where one interval ends another may begin: the begin counts.
        ordered.Sort(static (left, right) => Compare(left.Key, right.Key) is var order && order != 0 ? order : right.IsEnd.CompareTo(left.IsEnd));
        _ordered = [.. ordered];
        _ranges = [.. ranges];
    }

    /// <summary>An empty set.</summary>
    public static NftElements Empty { get; } = new([], false, []);

    /// <summary>Finds the element that holds a key.</summary>
    public bool TryFind(ReadOnlySpan<byte> key, [NotNullWhen(true)] out NftElement? found)
    {
        if (_exact.TryGetValue(key, out found))
        {
            return true;
        }

        found = FindInterval(key) ?? FindRange(key) ?? _catchAll;
        return found is not null;
    }

    /// <summary>Compares keys as numbers in network order.</summary>
    public static int Compare(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right) => left.SequenceCompareTo(right);

    private NftElement? FindInterval(ReadOnlySpan<byte> key)
    {
        int low = 0;
        int high = _ordered.Length - 1;
        while (low <= high)
        {
            int middle = (low + high) / 2;
            if (Compare(_ordered[middle].Key, key) <= 0)
            {
                low = middle + 1;
            }
            else
            {
                high = middle - 1;
            }
        }

        return high >= 0 && !_ordered[high].IsEnd ? _ordered[high] : null;
    }

    private NftElement? FindRange(ReadOnlySpan<byte> key)
    {
        foreach (NftElement candidate in _ranges)
        {
            if (IsInRange(candidate, key))
            {
                return candidate;
            }
        }

        return null;
    }

    // Each part of a concatenation has a range of its own, and begins at a word.
    private bool IsInRange(NftElement element, ReadOnlySpan<byte> key)
    {
        if (_fields.Length == 0)
        {
            return Compare(key, element.Key) >= 0 && Compare(key, element.KeyEnd) <= 0;
        }

        int at = 0;
        foreach (int length in _fields)
        {
            ReadOnlySpan<byte> part = key.Slice(at, length);
            if (Compare(part, element.Key.AsSpan(at, length)) < 0 || Compare(part, element.KeyEnd.AsSpan(at, length)) > 0)
            {
                return false;
            }

            at += (length + 3) & ~3;
        }

        return true;
    }

    private sealed class KeyComparer : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        public static KeyComparer Instance { get; } = new();

        public bool Equals(byte[]? left, byte[]? right) => left.AsSpan().SequenceEqual(right);

        public int GetHashCode(byte[] key) => GetHashCode(key.AsSpan());

        public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

        public int GetHashCode(ReadOnlySpan<byte> key)
        {
            HashCode hash = default;
            hash.AddBytes(key);
            return hash.ToHashCode();
        }

        public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
    }
}
