namespace Moat.Linux;

/// <summary>An address in an application's address space. It is a number the guest chose: it proves nothing about what is mapped there.</summary>
/// <param name="Value">The raw address.</param>
public readonly record struct GuestAddress(ulong Value) : IComparable<GuestAddress>
{
    /// <summary>The null pointer.</summary>
    public static readonly GuestAddress Null;

    /// <summary>Whether this is the null pointer.</summary>
    public bool IsNull => Value == 0;

    /// <summary>The address <paramref name="offset"/> bytes further, wrapping as the processor does.</summary>
    public static GuestAddress operator +(GuestAddress address, ulong offset) => new(unchecked(address.Value + offset));

    /// <summary>The address <paramref name="offset"/> bytes lower, wrapping as the processor does.</summary>
    public static GuestAddress operator -(GuestAddress address, ulong offset) => new(unchecked(address.Value - offset));

    /// <summary>The distance between two addresses in bytes, wrapping.</summary>
    public static ulong operator -(GuestAddress left, GuestAddress right) => unchecked(left.Value - right.Value);

    public static bool operator <(GuestAddress left, GuestAddress right) => left.Value < right.Value;

    public static bool operator >(GuestAddress left, GuestAddress right) => left.Value > right.Value;

    public static bool operator <=(GuestAddress left, GuestAddress right) => left.Value <= right.Value;

    public static bool operator >=(GuestAddress left, GuestAddress right) => left.Value >= right.Value;

    /// <summary>Adds a length the guest gave; false if the sum leaves the 64-bit space.</summary>
    public bool TryAdd(ulong length, out GuestAddress end)
    {
        end = new GuestAddress(unchecked(Value + length));
        return end.Value >= Value;
    }

    /// <inheritdoc/>
    public int CompareTo(GuestAddress other) => Value.CompareTo(other.Value);

    /// <inheritdoc/>
    public override string ToString() => $"0x{Value:x}";
}
