namespace Moat.Netstack.Wire;

/// <summary>A block that has been received out of order (RFC 2018 section 3).</summary>
/// <param name="Left">Its first byte.</param>
/// <param name="Right">The byte behind its last.</param>
public readonly record struct SackBlock(SequenceNumber Left, SequenceNumber Right);
