namespace Moat.Netstack.Wire;

/// <summary>A TCP sequence number: 32 bits that wrap, compared by their distance (RFC 9293 section 3.4).</summary>
/// <param name="Value">The number.</param>
public readonly record struct SequenceNumber(uint Value)
{
    /// <summary>The number so many bytes on.</summary>
    public static SequenceNumber operator +(SequenceNumber left, int bytes) => new(unchecked(left.Value + (uint)bytes));

    /// <summary>The number so many bytes back.</summary>
    public static SequenceNumber operator -(SequenceNumber left, int bytes) => new(unchecked(left.Value - (uint)bytes));

    /// <summary>Bytes from <paramref name="right"/> to <paramref name="left"/>; negative if it lies before.</summary>
    public static int operator -(SequenceNumber left, SequenceNumber right) => unchecked((int)(left.Value - right.Value));

    /// <summary>Before.</summary>
    public static bool operator <(SequenceNumber left, SequenceNumber right) => left - right < 0;

    /// <summary>Behind.</summary>
    public static bool operator >(SequenceNumber left, SequenceNumber right) => left - right > 0;

    /// <summary>Before or the same.</summary>
    public static bool operator <=(SequenceNumber left, SequenceNumber right) => left - right <= 0;

    /// <summary>Behind or the same.</summary>
    public static bool operator >=(SequenceNumber left, SequenceNumber right) => left - right >= 0;

    /// <summary>The one further on.</summary>
    public static SequenceNumber Max(SequenceNumber left, SequenceNumber right) => left > right ? left : right;

    /// <summary>The one less far on.</summary>
    public static SequenceNumber Min(SequenceNumber left, SequenceNumber right) => left < right ? left : right;

    /// <summary>The number in decimal.</summary>
    public override string ToString() => Value.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
