using Moat.TestSupport;

namespace Moat.Guest.Tests;

/// <summary>Programs that make random system calls never end the sandbox they run in.</summary>
public sealed class RandomCallTests
{
    private const int Children = 25;

    /// <summary>Platforms and seeds.</summary>
    public static TheoryData<string, int> Seeds
    {
        get
        {
            TheoryData<string, int> rows = [];
            foreach (string platform in Runsc.Platforms)
            {
                rows.Add(platform, 1);
                rows.Add(platform, 2);
            }

            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Calls_NeverEndTheSandbox(string platform, int seed)
    {
        CommandResult build = Runsc.Execute([GuestProgram.Tool, "build", "sandboxed/random_calls"], timeoutSeconds: 120);
        Assert.True(build.ExitCode == 0, build.Error);
        CommandResult result = Runsc.Execute(
            [GuestProgram.Tool, "sandbox", "sandboxed/random_calls", $"{seed}", $"{Children}"], timeoutSeconds: 180, environment: new Dictionary<string, string> { ["PLATFORM"] = platform });
        Assert.Equal((0, "survived\n"), (result.ExitCode, result.Output));
    }
}
