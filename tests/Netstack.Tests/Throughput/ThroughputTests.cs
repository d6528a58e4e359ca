namespace Moat.Netstack.Tests.Throughput;

/// <summary>How fast transfers are on a grid of paths, against a snapshot in the tree: a change that makes any of them slower, or faster, is seen.</summary>
public sealed class ThroughputTests
{
    private const double Tolerance = 0.1;

    private static readonly double[] s_losses = [0, 0.001, 0.01, 0.05];
    private static readonly double[] s_reorderings = [0, 0.01, 0.1];

    [Theory]
    [InlineData("cubic", 100)]
    [InlineData("cubic", 10_000)]
    [InlineData("cubic", 100_000)]
    [InlineData("reno", 100)]
    [InlineData("reno", 10_000)]
    [InlineData("reno", 100_000)]
    public void Throughput_IsThatOfTheSnapshot(string congestion, int rttUs)
    {
        List<string> lines = [];
        List<string> changes = [];
        foreach (double loss in s_losses)
        {
            foreach (double reordering in s_reorderings)
            {
                GridCell cell = new(congestion, rttUs, loss, reordering);
                GridResult up = GridTransfer.Run(cell, fromClient: true);
                GridResult down = GridTransfer.Run(cell, fromClient: false);
                AssertSound(cell, up);
                AssertSound(cell, down);
                string line = ThroughputSnapshot.Line(cell, up, down);
                lines.Add(line);
                (int Up, int Down) known = ThroughputSnapshot.Find(cell) ?? (0, 0);
                if (Differs(up.KilobytesPerSecond, known.Up) || Differs(down.KilobytesPerSecond, known.Down))
                {
                    changes.Add($"{line} (snapshot: {known.Up} and {known.Down} kB/s)");
                }
            }
        }

        if (ThroughputSnapshot.IsAccepting)
        {
            ThroughputSnapshot.Replace(lines);
            return;
        }

        Assert.True(changes.Count == 0, $"the throughput has changed by more than {Tolerance:P0}; if that is right, run {ThroughputSnapshot.AcceptCommand} and have the new snapshot reviewed:\n{string.Join('\n', changes)}");
    }

    [Theory]
    [InlineData("cubic", 25)]
    [InlineData("cubic", 50)]
    [InlineData("cubic", 100)]
    [InlineData("reno", 25)]
    [InlineData("reno", 50)]
    [InlineData("reno", 100)]
    public void LinkWithAShortQueue_IsKeptBusy(string congestion, int percentOfARoundTrip)
    {
        GridCell cell = new(congestion, 10_000, 0, 0);
        cell = cell with { QueueBytes = (int)((long)cell.BytesPerSecond * cell.RttUs / 1_000_000 * percentOfARoundTrip / 100) };
        GridResult result = GridTransfer.Run(cell, fromClient: true);
        Assert.True(result.Timeouts == 0 && result.KilobytesPerSecond * 1000L > cell.BytesPerSecond * 6L / 10, result.ToString());
    }

    // Loss and reordering of which a sender hears are repaired without waiting for a timeout, and nothing is sent twice without a reason.
    private static void AssertSound(GridCell cell, GridResult result)
    {
        const double OftenLost = 0.05; // then all that is in flight may be
        const int FewSuperfluous = 15; // until the reordering window is wide enough
        Assert.True(result.Timeouts == 0 || cell.Loss >= OftenLost, $"{cell.Name}: {result}");
        Assert.True(cell.Loss > 0 || result.Retransmissions <= (cell.Reordering > 0 ? FewSuperfluous : 0), $"{cell.Name}: {result}");
    }

    private static bool Differs(int now, int known) => Math.Abs(now - known) > known * Tolerance;
}
