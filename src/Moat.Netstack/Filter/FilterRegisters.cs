using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Moat.Netstack.Filter;

/// <summary>What the expressions of one rule hand to one another: sixteen words of 32 bits (linux/netfilter/nf_tables.h).</summary>
[InlineArray(Count)]
public struct FilterRegisters
{
    /// <summary>How many words there are.</summary>
    public const int Count = 16;

    private uint _word;

    /// <summary>Bytes from a word on.</summary>
    [System.Diagnostics.CodeAnalysis.UnscopedRef]
    public Span<byte> Bytes(int word, int length) => MemoryMarshal.AsBytes((Span<uint>)this)[(word * sizeof(uint))..][..length];
}
