using Moat.TestSupport;

namespace Moat.Guest.Tests;

/// <summary>Call sites are patched whenever they become hot.</summary>
public sealed class CallSiteTests
{
    [Fact]
    public void Sites_ArePatchedBeyondAPageOfTrampolinesAndAfterForks()
    {
        CommandResult build = Runsc.Execute([GuestProgram.Tool, "build", "sandboxed/many_sites"], timeoutSeconds: 120);
        Assert.True(build.ExitCode == 0, build.Error);
        CommandResult result = Runsc.Execute(
            [GuestProgram.Tool, "sandbox", "sandboxed/many_sites"], timeoutSeconds: 180, environment: new Dictionary<string, string> { ["PLATFORM"] = "systrap" });
        Assert.Equal((0, "first: 100\nchild: 100\nparent beside it: 100\nparent of many: 100\n"), (result.ExitCode, result.Output));
    }
}
