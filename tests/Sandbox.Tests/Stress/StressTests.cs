using System.Diagnostics;

namespace Moat.Sandbox.Tests.Stress;

/// <summary>Many sandboxes, and ends that nobody asked for. <c>make stress</c> runs the long version.</summary>
[Collection("stress")]
public sealed class StressTests : IDisposable
{
    private const int Seed = 20_250_214;
    private readonly StressGround _ground = new();

    public void Dispose() => _ground.Dispose();

    [Fact]
    public void OneAfterTheOther_LeavesNothing()
    {
        for (int i = 0; i < StressGround.Rounds(8, 200); i++)
        {
            CommandResult result = _ground.Run("run", $"--bundle={_ground.Bundle}", $"loop-{i}");
            Assert.True(result.ExitCode == 0, result.Error);
        }

        Assert.Equal("", _ground.Leftovers());
    }

    [Fact]
    public void ManyAtOnce_LeaveNothing()
    {
        Process[] all = new Process[StressGround.Rounds(6, 20)];
        for (int i = 0; i < all.Length; i++)
        {
            all[i] = _ground.Start("--ignore-cgroups", "run", $"--bundle={_ground.Bundle}", $"many-{i}");
        }

        foreach (Process process in all)
        {
            string error = process.StandardError.ReadToEnd();
            process.WaitForExit();
            Assert.True(process.ExitCode == 0, error);
            process.Dispose();
        }

        Assert.Equal("", _ground.Leftovers());
    }

    [Fact]
    public void CreateStartKillDelete_OverAndOver_LeavesNothing()
    {
        for (int i = 0; i < StressGround.Rounds(3, 50); i++)
        {
            string id = $"cycle-{i}";
            Expect(0, "create", $"--bundle={_ground.SleepingBundle}", id);
            Expect(0, "start", id);
            Expect(0, "kill", id, "KILL");
            WaitForStop(id);
            Expect(0, "delete", id);
        }

        Assert.Equal("", _ground.Leftovers());
    }

    [Theory]
    [InlineData("boot")]
    [InlineData("gofer")]
    [InlineData("run")]
    public void KilledAtARandomMoment_EndsStopped_AndIsDeleted(string victim)
    {
        Random random = new(Seed + victim.Length);
        for (int i = 0; i < StressGround.Rounds(4, 17); i++)
        {
            string id = $"{victim}-{i}";
            using Process run = _ground.Start("run", $"--bundle={_ground.SleepingBundle}", id);
            int delayMs = random.Next(250);
            Thread.Sleep(delayMs);
            KillOne(run, victim);
            if (victim == "run")
            {
                run.WaitForExit();
            }

            WaitForStop(id);
            CommandResult deleted = _ground.Run("delete", id);
            bool isGone = deleted.ExitCode == 0 || deleted.Error.Contains("does not exist", StringComparison.Ordinal);
            Assert.True(isGone, $"{id} after {delayMs} ms: {deleted.Error}");
            Assert.True(run.WaitForExit(10_000), $"{id} after {delayMs} ms: the command did not end");
            Assert.True(_ground.Leftovers() is "", $"{id} after {delayMs} ms: {_ground.Leftovers()}");
        }
    }

    [Fact]
    public void CreateKilledAtARandomMoment_IsDeleted()
    {
        Random random = new(Seed);
        for (int i = 0; i < StressGround.Rounds(4, 17); i++)
        {
            string id = $"create-{i}";
            using Process create = _ground.Start("create", $"--bundle={_ground.SleepingBundle}", id);
            int delayMs = random.Next(150);
            Thread.Sleep(delayMs);
            create.Kill();
            create.WaitForExit();
            Thread.Sleep(20);
            CommandResult state = _ground.Run("state", id);
            bool isKnown = state.ExitCode != 0 ? state.Error.Contains("does not exist", StringComparison.Ordinal)
                : state.Output.Contains("\"stopped\"", StringComparison.Ordinal) || state.Output.Contains("\"created\"", StringComparison.Ordinal);
            Assert.True(isKnown, $"{id} after {delayMs} ms: {state.Output}{state.Error}");
            CommandResult deleted = _ground.Run("delete", id);
            Assert.True(deleted.ExitCode == 0 || deleted.Error.Contains("does not exist", StringComparison.Ordinal), $"{id} after {delayMs} ms: {deleted.Error}");
            Assert.True(_ground.Leftovers() is "", $"{id} after {delayMs} ms: {_ground.Leftovers()}");
        }
    }

    [Fact]
    public void WedgedSentry_IsKilledAndDeleted()
    {
        Expect(0, "create", $"--bundle={_ground.SleepingBundle}", "wedged");
        Expect(0, "start", "wedged");
        string pid = System.Text.RegularExpressions.Regex.Match(_ground.Run("state", "wedged").Output, "\"pid\": *([0-9]+)").Groups[1].Value;
        Assert.Equal(0, Runsc.Execute(["/bin/kill", "-STOP", pid]).ExitCode);
        Expect(0, "kill", "wedged", "KILL");
        WaitForStop("wedged");
        Expect(0, "delete", "wedged");

        Expect(0, "create", $"--bundle={_ground.SleepingBundle}", "wedged");
        Expect(0, "start", "wedged");
        pid = System.Text.RegularExpressions.Regex.Match(_ground.Run("state", "wedged").Output, "\"pid\": *([0-9]+)").Groups[1].Value;
        Assert.Equal(0, Runsc.Execute(["/bin/kill", "-STOP", pid]).ExitCode);
        Expect(0, "delete", "--force", "wedged");
        Assert.Equal("", _ground.Leftovers());
    }

    private void Expect(int exitCode, params string[] arguments)
    {
        CommandResult result = arguments[0] == "create" ? _ground.RunDetached(arguments) : _ground.Run(arguments);
        Assert.True(result.ExitCode == exitCode, $"{string.Join(' ', arguments)}: {result.ExitCode} {result.Error}");
    }

    private void WaitForStop(string id)
    {
        CommandResult state = _ground.Run("state", id);
        for (Stopwatch watch = Stopwatch.StartNew(); watch.ElapsedMilliseconds < 10_000; Thread.Sleep(20), state = _ground.Run("state", id))
        {
            if (state.Output.Contains("\"stopped\"", StringComparison.Ordinal) || state.Error.Contains("does not exist", StringComparison.Ordinal))
            {
                return;
            }
        }

        Assert.Fail($"{id} does not stop: {state.Output}{state.Error}");
    }

    // The process of this run that plays the role, if there is one yet.
    private static void KillOne(Process run, string victim)
    {
        if (victim == "run")
        {
            run.Kill();
            return;
        }

        int? pid = Confinement.SandboxProcess.Tree(run.Id).Find(process => process.CommandLine.StartsWith($"runsc {victim}", StringComparison.Ordinal))?.Pid;
        Runsc.Execute(["/bin/kill", "-9", pid is { } found ? $"{found}" : $"{run.Id}"]); // too early: the command itself
    }
}
