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

    private static bool Differs(int now, int known) => Math.Abs(now - known) > known * Tolerance;
}
