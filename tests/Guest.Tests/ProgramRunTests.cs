using Moat.TestSupport;

namespace Moat.Guest.Tests;

/// <summary>The runner itself: how it reads a program's lines, and that nothing outlives a time limit.</summary>
public sealed class ProgramRunTests
{
    private static readonly TimeSpan s_second = TimeSpan.FromSeconds(1);

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
        ProgramRun run = ProgramRun.Of(["unshare", "--pid", "--fork", "--kill-child", "sh", "-c", $"echo a/one ok; sleep {mark} & sleep {mark}; true"], s_second);
        Assert.Equal("no end within 1 s", run.Ending);
        Assert.Equal(["one"], run.Cases);
        AssertNobodyHas(mark);
    }

    [Fact]
    public void Limit_EndsASandbox_WithItsProcesses()
    {
        string mark = $"10{Environment.ProcessId}.2";
        ProgramRun run = ProgramRun.Of(["env", $"MARK={mark}", Runsc.Executable, "do", "/bin/sh", "-c", $"sleep {mark} & sleep {mark}; true"], s_second);
        Assert.Equal("no end within 1 s", run.Ending);
        AssertNobodyHas(mark);
    }

    // Nobody has it in his command line or his environment (the host takes a moment to bury what it has killed).
    private static void AssertNobodyHas(string mark)
    {
        string[] left = [.. Holders(mark)];
        for (int i = 0; i < 100 && left.Length > 0; i++)
        {
            Thread.Sleep(100);
            left = [.. Holders(mark)];
        }

        Assert.Empty(left);
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
