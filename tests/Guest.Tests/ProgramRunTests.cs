using Moat.TestSupport;

namespace Moat.Guest.Tests;

/// <summary>The runner itself: how it reads a program's lines, and that nothing outlives a time limit.</summary>
public sealed class ProgramRunTests
{
    [Fact]
    public void Lines_BecomeCases()
    {
        ProgramRun run = ProgramRun.Of(["printf", "a/one ok\\na/two FAILED: why not\\nnoise\\na/one FAILED: its directory cannot be removed\\n"], TimeSpan.FromSeconds(20));
        Assert.Equal(["one", "two"], run.Cases);
        Assert.Equal("FAILED: its directory cannot be removed", run.OutcomeOf("one"));
        Assert.Equal("FAILED: why not", run.OutcomeOf("two"));
        Assert.Null(run.OutcomeOf("three"));
        Assert.Equal("exit status 0", run.Ending);
    }

    [Fact]
    public void Limit_EndsAProgramOfTheHost_WithItsChildren()
    {
        string mark = $"10{Environment.ProcessId}.1";
        ProgramRun run = OfUntilALine(["unshare", "--pid", "--fork", "--kill-child", "sh", "-c", $"echo a/one ok; sleep {mark} & sleep {mark}; true"]);
        Assert.Equal(["one"], run.Cases);
        AssertNobodyHas(mark);
    }

    [Fact]
    public void Limit_EndsASandbox_WithItsProcesses()
    {
        string mark = $"10{Environment.ProcessId}.2";
        ProgramRun run = OfUntilALine(["env", $"MARK={mark}", Runsc.Executable, "do", "/bin/sh", "-c", $"echo a/one ok; sleep {mark} & sleep {mark}; true"]);
        Assert.Equal(["one"], run.Cases);
        AssertNobodyHas(mark);
    }

    // Nobody has it in his command line or his environment (the host takes a moment to bury what it has killed).
    private static void AssertNobodyHas(string mark)
    {
        string[] left = [];
        Patience.Await(() => (left = [.. Holders(mark)]).Length == 0, () => $"the end of {string.Join(' ', left)}");
    }

    // With a limit of a second, or as long as it takes until the program has come to say something.
    private static ProgramRun OfUntilALine(string[] command)
    {
        for (int seconds = 1; ; seconds *= 2)
        {
            ProgramRun run = ProgramRun.Of(command, TimeSpan.FromSeconds(seconds));
            Assert.Equal($"no end within {seconds} s", run.Ending);
            if (run.Cases.Count > 0 || seconds > Patience.Seconds)
            {
                return run;
            }
        }
    }

    private static IEnumerable<string> Holders(string mark) =>
        Directory.GetDirectories("/proc").Where(folder => int.TryParse(Path.GetFileName(folder), out int pid) && pid != Environment.ProcessId).Where(folder =>
        {
            try
            {
                return File.ReadAllText(Path.Combine(folder, "cmdline")).Contains(mark, StringComparison.Ordinal)
                    || File.ReadAllText(Path.Combine(folder, "environ")).Contains(mark, StringComparison.Ordinal);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                return false; // it has just gone
            }
        });
}
