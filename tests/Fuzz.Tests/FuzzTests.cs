using System.Globalization;
using Moat.Fuzz.Targets;

namespace Moat.Fuzz;

/// <summary>Hostile input for every target. <c>make test</c> tries the same inputs each time; <c>make fuzz FUZZ_SECONDS=…</c> tries others for so long. What fails is printed, to become a file of <c>Findings</c>.</summary>
public sealed class FuzzTests
{
    private const int UsualCount = 1000;

    private static readonly int s_seconds = int.Parse(Environment.GetEnvironmentVariable("FUZZ_SECONDS") ?? "0", CultureInfo.InvariantCulture);

    /// <summary>The targets.</summary>
    public static TheoryData<string> Targets { get; } = [.. FuzzTargets.All.Select(static target => target.Name)];

    [Theory]
    [MemberData(nameof(Targets))]
    public void Seeds_AreSurvived(string name)
    {
        FuzzTarget target = FuzzTargets.Find(name);
        IReadOnlyList<byte[]> seeds = target.MakeSeeds();
        Assert.NotEmpty(seeds);
        foreach (byte[] seed in seeds)
        {
            target.Run(seed);
        }
    }

    /// <summary>What has failed before: each file of a target's folder is an input.</summary>
    [Theory]
    [MemberData(nameof(Targets))]
    public void Findings_AreSurvived(string name)
    {
        FuzzTarget target = FuzzTargets.Find(name);
        string folder = Path.Combine(AppContext.BaseDirectory, "Findings", name);
        foreach (string file in Directory.Exists(folder) ? Directory.GetFiles(folder) : [])
        {
            Try(target, File.ReadAllBytes(file), file);
        }
    }

    [Theory]
    [MemberData(nameof(Targets))]
    public void ChangedSeeds_AreSurvived(string name)
    {
        FuzzTarget target = FuzzTargets.Find(name);
        IReadOnlyList<byte[]> seeds = target.MakeSeeds();
        int seed = s_seconds > 0 ? Environment.TickCount : 1;
        Mutator mutator = new(seed);
        long end = Environment.TickCount64 + (1000L * s_seconds);
        for (int i = 0; s_seconds > 0 ? Environment.TickCount64 < end : i < UsualCount; i++)
        {
            Try(target, mutator.Next(seeds), string.Create(CultureInfo.InvariantCulture, $"input {i} of seed {seed}"));
        }
    }

    private static void Try(FuzzTarget target, byte[] input, string which)
    {
        try
        {
            target.Run(input);
        }
        catch (Exception error)
        {
            throw new InvalidOperationException($"{which}: {Convert.ToHexString(input)}", error);
        }
    }
}
