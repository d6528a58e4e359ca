using System.Globalization;

namespace Moat.Engine.Tests.Oci;

/// <summary>A TCP segment on the wire.</summary>
/// <param name="IsFromSandbox">Who sent it.</param>
/// <param name="Flags">As tcpdump writes them.</param>
/// <param name="Start">Its first sequence number, relative to the SYN; null if tcpdump shows none.</param>
/// <param name="Length">Bytes of data.</param>
/// <param name="Acknowledgment">Relative to the peer's SYN, or null.</param>
/// <param name="Sacks">Relative to the peer's SYN.</param>
/// <param name="SynOptions">The names of a SYN's options.</param>
internal sealed record WireSegment(bool IsFromSandbox, string Flags, uint? Start, int Length, uint? Acknowledgment, IReadOnlyList<(uint Left, uint Right)> Sacks, string SynOptions)
{
    /// <summary>Whether it does nothing but acknowledge: when, and how often, is the receiver's to choose.</summary>
    public bool IsPureAcknowledgment => Flags == "." && Length == 0;

    /// <summary>The number behind its last one.</summary>
    public uint End => (Start ?? 0) + (uint)Length + (uint)(Flags.Contains('F', StringComparison.Ordinal) ? 1 : 0);

    /// <inheritdoc/>
    public override string ToString()
    {
        string text = string.Create(CultureInfo.InvariantCulture, $"{(IsFromSandbox ? '>' : '<')} {Flags}");
        text += Start is { } start ? string.Create(CultureInfo.InvariantCulture, $" {start}:{start + Length}({Length})") : "";
        text += Acknowledgment is { } acknowledgment && Flags.Contains('S', StringComparison.Ordinal) ? string.Create(CultureInfo.InvariantCulture, $" ack {acknowledgment}") : "";
        return text + (SynOptions.Length > 0 ? $" <{SynOptions}>" : "");
    }
}
