using System.Globalization;

namespace Moat.Sandbox.Tests.Hostile;

/// <summary>Guests that take whatever they are given, and guests that call at random: the kernel ends neither itself nor anybody else.</summary>
[Collection("hostile")]
public sealed class HostileTests(HostilePrograms programs) : IClassFixture<HostilePrograms>
{
    private const int Seed = 20_250_817;
    private const int TimeoutSeconds = 2 * Patience.Seconds;

    private static readonly string[] s_attacks =
    [
        "forkbomb", "threads", "descriptors", "pipes", "sockets", "buffers", "cycles", "timers", "shared", "deep", "epolls", "inotify", "ipc", "filters", "vectors", "races", "images",
    ];

    public static TheoryData<string> Platforms => [.. Runsc.Platforms];

    public static TheoryData<string, string> AttacksOnEachPlatform
    {
        get
        {
            TheoryData<string, string> rows = [];
            foreach (string platform in Runsc.Platforms)
            {
                foreach (string attack in s_attacks)
                {
                    rows.Add(platform, attack);
                }
            }

            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(AttacksOnEachPlatform))]
    public void Attack_IsSurvived(string platform, string attack)
    {
        CommandResult result = programs.Run(platform, TimeoutSeconds, "hostile", attack);
        Assert.True(result.ExitCode == 0 && result.Output.EndsWith("survived\n", StringComparison.Ordinal), $"{result.ExitCode}: {result.Output}{result.Error}");
    }

    [Theory]
    [MemberData(nameof(Platforms))]
    public void RandomCalls_AreSurvived(string platform)
    {
        CommandResult result = programs.Run(platform, TimeoutSeconds, "randomcalls", Seed.ToString(CultureInfo.InvariantCulture), "100");
        Assert.True(result.ExitCode == 0 && result.Output.EndsWith("done\n", StringComparison.Ordinal), $"{result.ExitCode}: {result.Output}{result.Error}");
    }
}
