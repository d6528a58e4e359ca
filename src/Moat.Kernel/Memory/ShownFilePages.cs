using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Moat.Kernel.Memory;

/// <summary>Which pages of files the platform shows in an address space: the file part of the resident set. A bit for each page. Guarded by the owner's lock.</summary>
internal sealed class ShownFilePages
{
    private const int WordPages = 64;

    private readonly Dictionary<ulong, ulong> _words = [];

    /// <summary>How many there are.</summary>
    public long Count { get; private set; }

    /// <summary>Pages <paramref name="first"/> to <paramref name="end"/> (exclusive) are shown.</summary>
    public void Add(ulong first, ulong end)
    {
        for (ulong word = first / WordPages; word <= (end - 1) / WordPages; word++)
        {
            ulong mask = Mask(word, first, end);
            ref ulong bits = ref CollectionsMarshal.GetValueRefOrAddDefault(_words, word, out _);
            Count += BitOperations.PopCount(mask & ~bits);
            bits |= mask;
        }
    }

    /// <summary>They are not any more.</summary>
    public void Remove(ulong first, ulong end)
    {
        if (Count == 0)
        {
            return;
        }

        ulong last = (end - 1) / WordPages;
        if (last - (first / WordPages) > (ulong)_words.Count)
        {
            foreach (ulong word in _words.Keys)
            {
                if (word >= first / WordPages && word <= last)
                {
                    RemoveWord(word, first, end);
                }
            }

            return;
        }

        for (ulong word = first / WordPages; word <= last; word++)
        {
            RemoveWord(word, first, end);
        }
    }

    /// <summary>How many of a range are shown.</summary>
    public long CountIn(ulong first, ulong end)
    {
        long count = 0;
        foreach ((ulong word, ulong bits) in _words)
        {
            if (word >= first / WordPages && word <= (end - 1) / WordPages)
            {
                count += BitOperations.PopCount(bits & Mask(word, first, end));
            }
        }

        return count;
    }

    private void RemoveWord(ulong word, ulong first, ulong end)
    {
        ref ulong bits = ref CollectionsMarshal.GetValueRefOrNullRef(_words, word);
        if (Unsafe.IsNullRef(ref bits))
        {
            return;
        }

        ulong mask = Mask(word, first, end);
        Count -= BitOperations.PopCount(bits & mask);
        bits &= ~mask;
        if (bits == 0)
        {
            _words.Remove(word); // a dictionary may lose entries while it is enumerated
        }
    }

    private static ulong Mask(ulong word, ulong first, ulong end)
    {
        ulong start = word * WordPages;
        ulong mask = first > start ? ulong.MaxValue << (int)(first - start) : ulong.MaxValue;
        return end < start + WordPages ? mask & ((1UL << (int)(end - start)) - 1) : mask;
    }
}
