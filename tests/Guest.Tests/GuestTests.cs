using Moat.TestSupport;

namespace Moat.Guest.Tests;

/// <summary>Every case of every guest program does in the sandbox what it does on Linux.</summary>
public sealed class GuestTests
{
    /// <summary>The programs, by family.</summary>
    public static TheoryData<string> Families => [.. GuestProgram.All.Keys];

    /// <summary>Platform, family and case; the cases are those that the program prints on Linux.</summary>
    public static TheoryData<string, string, string> Cases
    {
        get
        {
            TheoryData<string, string, string> rows = [];
            foreach (string platform in Runsc.Platforms)
            {
                foreach (GuestProgram program in GuestProgram.All.Values.Where(static program => program.Builds))
                {
                    foreach (string name in program.Native.Cases)
                    {
                        rows.Add(platform, program.Family, name);
                    }
                }
            }

            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void Program_BuildsAndRunsItsCasesOnLinux(string family)
    {
        GuestProgram program = GuestProgram.All[family];
        Assert.True(program.Builds, program.Build.Errors);
        Assert.Equal("exit status 0", program.Native.Ending);
        Assert.NotEmpty(program.Native.Cases);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Case_IsTheSameAsOnLinux(string platform, string family, string name)
    {
        GuestProgram program = GuestProgram.All[family];
        string? native = program.Native.OutcomeOf(name);
        Assert.True(native == "ok", $"broken test: on Linux {family}/{name} {native}");
        ProgramRun run = program.Sandboxed(platform);
        string? sandboxed = run.OutcomeOf(name);
        CaseTable.Count(family, sandboxed == "ok");
        Assert.True(sandboxed == "ok", $"bug: in the sandbox ({platform}) {family}/{name} {sandboxed ?? $"never ran: {run.Ending}\n{run.Errors}"}");
    }
}
