using System.Globalization;
using Moat.Sandbox.Tests.Confinement;

namespace Moat.Sandbox.Tests;

/// <summary>What a sandbox holds while it waits.</summary>
public sealed class IdleTests
{
    private const int MostKilobytes = 15 << 10;

    /// <summary>The platforms.</summary>
    public static TheoryData<string> Platforms => [.. Runsc.Platforms];

    [Theory]
    [MemberData(nameof(Platforms))]
    public void IdleSandbox_ComesToHoldLittleMemory(string platform)
    {
        using RunningSandbox sandbox = new(Runsc.Binary, $"--platform={platform}");
        int held = 0;
        Patience.Await(
            () => (held = sandbox.Processes.Where(process => process.Pid != sandbox.Command.Id).Sum(static process => ProportionalKilobytes(process.Pid))) <= MostKilobytes,
            () => $"at most {MostKilobytes} KiB: {held}");
        Assert.NotEqual(0, held);
    }

    // Pages that several processes share count in equal parts (proc_pid_smaps(5)).
    private static int ProportionalKilobytes(int pid)
    {
        string line = File.ReadLines($"/proc/{pid}/smaps_rollup").Single(static text => text.StartsWith("Pss:", StringComparison.Ordinal));
        return int.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
    }
}
