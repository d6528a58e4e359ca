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

        _ground.AwaitNothingLeft();
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

        _ground.AwaitNothingLeft();
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

        _ground.AwaitNothingLeft();
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
            Assert.True(run.WaitForExit(Patience.Limit), $"{id} after {delayMs} ms: the command did not end");
            _ground.AwaitNothingLeft($"{id} after {delayMs} ms");
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
            AwaitState(id, "stopped", "created"); // it is "creating" for as long as a child that was just being made holds what it inherited, the lock
            CommandResult deleted = _ground.Run("delete", id);
            Assert.True(deleted.ExitCode == 0 || deleted.Error.Contains("does not exist", StringComparison.Ordinal), $"{id} after {delayMs} ms: {deleted.Error}");
            _ground.AwaitNothingLeft($"{id} after {delayMs} ms");
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
        _ground.AwaitNothingLeft();
    }

    private void Expect(int exitCode, params string[] arguments)
    {
        CommandResult result = arguments[0] == "create" ? _ground.RunDetached(arguments) : _ground.Run(arguments);
        Assert.True(result.ExitCode == exitCode, $"{string.Join(' ', arguments)}: {result.ExitCode} {result.Error}");
    }

    private void WaitForStop(string id) => AwaitState(id, "stopped");

    // One of the states, or that there is no such container any more.
    private void AwaitState(string id, params string[] names)
    {
        CommandResult state = _ground.Run("state", id);
        Patience.Await(
            () =>
            {
                state = _ground.Run("state", id);
                return Array.Exists(names, name => state.Output.Contains($"\"{name}\"", StringComparison.Ordinal)) || state.Error.Contains("does not exist", StringComparison.Ordinal);
            },
            () => $"{id} {string.Join(" or ", names)}: {state.Output}{state.Error}");
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
