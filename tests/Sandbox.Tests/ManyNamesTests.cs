namespace Moat.Sandbox.Tests;

/// <summary>The kernel keeps a bounded number of names; what is in use is not touched by that.</summary>
public sealed class ManyNamesTests : IDisposable
{
    private const string Prepare = """
        cd "$1" && mkdir directory && echo inside > directory/inside && for f in locked watched changed mode gone old untouched; do echo $f > $f; done
        """;

    private readonly string _folder = TestRun.MakeSeenFolder("names");

    [Fact]
    public void FilesInUse_StayTheSame_WhileManyNamesAreAskedFor()
    {
        string program = Path.Combine(_folder, "many_names");
        string source = Path.Combine(Runsc.Repository, "tests", "Sandbox.Tests", "many_names.c");
        CommandResult compiled = Runsc.Execute(["gcc", "-O1", "-Wall", "-Werror", "-static", "-o", program, source], timeoutSeconds: 60);
        Assert.True(compiled.ExitCode == 0, compiled.Error);
        Assert.Equal(0, Runsc.Execute(["/bin/bash", "-c", Prepare, "bash", _folder]).ExitCode);
        CommandResult result = Runsc.Do(program, _folder);
        Assert.True(result.ExitCode == 0, result.Output + result.Error);
        Assert.Equal("the same\n", result.Output);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
