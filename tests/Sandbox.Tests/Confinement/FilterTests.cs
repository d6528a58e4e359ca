namespace Moat.Sandbox.Tests.Confinement;

/// <summary>The filters of the real executable, tried from inside.</summary>
public sealed class FilterTests
{
    private const int KilledBySigsys = 128 + 31;
    private const int KilledBySigabrt = 128 + 6;

    [Theory]
    [InlineData("sentry")]
    [InlineData("gofer")]
    public void ForbiddenCalls_AreRefused(string role)
    {
        CommandResult result = Runsc.Execute([Runsc.Binary, "probe", role, "calls"]);
        string[] lines = result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.True(lines.Length > 60, result.Output + result.Error);
        Assert.All(lines, static line => Assert.EndsWith(": EPERM", line, StringComparison.Ordinal));
        Assert.Equal(0, result.ExitCode);
    }

    [Theory]
    [InlineData("sentry")]
    [InlineData("gofer")]
    public void AProgramThatIsExecuted_EndsTheProcess(string role)
    {
        CommandResult result = Runsc.Execute(["/bin/sh", "-c", $"{Runsc.Binary} probe {role} execute; exit $?"]);
        Assert.Equal((KilledBySigsys, ""), (result.ExitCode, result.Output));
    }

    [Theory]
    [InlineData("sentry")]
    [InlineData("gofer")]
    public void Runtime_CollectsStartsThreadsAndCatches_UnderTheFilter(string role)
    {
        CommandResult result = Runsc.Execute([Runsc.Binary, "probe", role, "runtime"]);
        Assert.Equal((0, "ok\n"), (result.ExitCode, result.Output));
    }

    [Theory]
    [InlineData("sentry")]
    [InlineData("gofer")]
    public void UnhandledException_IsTold_AndEndsTheProcess(string role)
    {
        CommandResult result = Runsc.Execute(["/bin/sh", "-c", $"{Runsc.Binary} probe {role} crash; exit $?"]);
        Assert.Contains("a bug that nobody catches", result.Error, StringComparison.Ordinal);
        Assert.Contains("ArgumentException", result.Error, StringComparison.Ordinal);
        Assert.Equal(KilledBySigabrt, result.ExitCode);
    }
}
