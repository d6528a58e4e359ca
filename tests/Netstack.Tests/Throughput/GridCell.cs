using System.Globalization;

namespace Moat.Netstack.Tests.Throughput;

/// <summary>One kind of path, and the way to control congestion on it.</summary>
/// <param name="Congestion">TCP_CONGESTION.</param>
/// <param name="RttUs">The round trip of a frame without waiting: microseconds.</param>
/// <param name="Loss">The part of the frames that is lost, in each direction.</param>
/// <param name="Reordering">The part that arrives a quarter of a round trip later than it should.</param>
internal sealed record GridCell(string Congestion, int RttUs, double Loss, double Reordering)
{
    /// <summary>Bytes that wait for the link before more are dropped.</summary>
    public int QueueBytes { get; init; } = int.MaxValue;

    /// <summary>What the link carries.</summary>
    public int BytesPerSecond => RttUs < 1000 ? 125_000_000 : 12_500_000;

    /// <summary>How a line of the snapshot begins.</summary>
    public string Name => string.Create(CultureInfo.InvariantCulture, $"{Congestion,-5} {RttUs / 1000.0,6} ms {Loss * 100,4} % lost {Reordering * 100,3} % late");

    /// <summary>The same number in every run, and another one for each cell.</summary>
    public int Seed => (Congestion == "reno" ? 1 : 0) + (RttUs * 2) + ((int)(Loss * 1000) * 1_000_003) + ((int)(Reordering * 100) * 7919);
}
