namespace Moat.Netstack.Tests.Throughput;

/// <summary>What a transfer was like.</summary>
/// <param name="KilobytesPerSecond">Payload that arrived, by the time from the first byte sent to the last one read.</param>
/// <param name="Retransmissions">Segments sent again.</param>
/// <param name="Timeouts">Times that the retransmission timer ran out.</param>
internal sealed record GridResult(int KilobytesPerSecond, int Retransmissions, int Timeouts);
