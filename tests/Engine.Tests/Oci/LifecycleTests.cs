using System.Globalization;
using System.Text.Json.Nodes;

namespace Moat.Engine.Tests.Oci;

/// <summary>The commands of the runtime specification, and runc's.</summary>
public sealed class LifecycleTests(BundleRoot root) : IClassFixture<BundleRoot>
{
    private const string Idle = "exec sleep 1000";

    [Fact]
    public void Container_GoesThroughItsLife()
    {
        using Bundle bundle = new(root, "trap 'exit 5' TERM; echo up; while :; do sleep 0.05; done");
        bundle.Set("annotations", """{"com.example.key": "value"}""");
        string pidFile = Path.Combine(bundle.Folder, "pid");
        Assert.Equal(0, bundle.Create("--pid-file", pidFile).ExitCode);
        Assert.Equal("created", bundle.Read("status"));
        Assert.Equal(File.ReadAllText(pidFile), bundle.Read("pid"));
        Assert.Equal((Bundle.Id, bundle.Folder, "value"), (bundle.Read("id"), bundle.Read("bundle"), JsonNode.Parse(bundle.Read("annotations"))!["com.example.key"]!.ToString()));
        Assert.Equal("", bundle.Output);

        bundle.Must("start", Bundle.Id);
        Assert.Equal("running", bundle.Read("status"));
        Patience.Await(() => bundle.Output == "up\n", "output");
        bundle.Must("pause", Bundle.Id);
        Assert.Equal("paused", bundle.Read("status"));
        bundle.Must("resume", Bundle.Id);
        Assert.Equal("running", bundle.Read("status"));
        bundle.Must("kill", Bundle.Id, "TERM");
        Assert.Equal("""{"id":"c","exitStatus":5}""", bundle.Must("wait", Bundle.Id).Trim());
        bundle.Await("stopped");
        bundle.Must("delete", Bundle.Id);
        Assert.Equal(128, bundle.Command("state", Bundle.Id).ExitCode);
        bundle.AssertNothingLeft();
    }

    [Fact]
    public void Run_HasTheProgramsOutputAndStatus_AndLeavesNothing()
    {
        using Bundle bundle = new(root, "echo out; echo err >&2; exit 3");
        CommandResult result = bundle.Run();
        Assert.Equal((3, "out\n", "err\n"), (result.ExitCode, result.Output, result.Error));
        bundle.AssertNothingLeft();
    }

    [Fact]
    public void Run_OfAProgramThatASignalEnds_Is128AndItsNumber()
    {
        using Bundle bundle = new(root, "sleep 1000 & kill -9 $!; wait $!; exit $?");
        Assert.Equal(137, bundle.Run().ExitCode);
        using Bundle killed = new(root, Idle);
        Assert.Equal(0, killed.Detached("run", "--detach", "--bundle", killed.Folder, Bundle.Id).ExitCode);
        Assert.Equal("running", killed.Read("status"));
        killed.Must("kill", Bundle.Id, "9");
        Assert.Equal("""{"id":"c","exitStatus":137}""", killed.Must("wait", Bundle.Id).Trim());
    }

    [Fact]
    public void CreatedContainer_CanBeDeleted()
    {
        using Bundle bundle = new(root, Idle);
        Assert.Equal(0, bundle.Create().ExitCode);
        bundle.Must("delete", Bundle.Id);
        bundle.AssertNothingLeft();
    }

    [Fact]
    public void RunningContainer_IsDeletedOnlyByForce()
    {
        using Bundle bundle = new(root, Idle);
        bundle.Start();
        CommandResult refused = bundle.Command("delete", Bundle.Id);
        Assert.Equal((128, "runsc: cannot delete container \"c\" that is not stopped: running\n"), (refused.ExitCode, refused.Error));
        bundle.Must("delete", "--force", Bundle.Id);
        bundle.AssertNothingLeft();
        bundle.Must("delete", "--force", Bundle.Id);
    }

    [Fact]
    public void Exec_TakesFlagsOrAFile()
    {
        using Bundle bundle = new(root, Idle);
        bundle.Start();
        Assert.Equal("/tmp v 1000\n", bundle.Must("exec", "--cwd", "/tmp", "--env", "V=v", "--user", "1000", Bundle.Id, "sh", "-c", "echo $PWD $V $(id -u)"));
        Assert.Equal(7, bundle.Command("exec", Bundle.Id, "sh", "-c", "exit 7").ExitCode);
        string file = Path.Combine(bundle.Folder, "process.json");
        File.WriteAllText(file, """{"args":["/bin/sh","-c","echo $X; id -G"],"env":["X=x"],"cwd":"/","user":{"uid":5,"gid":6,"additionalGids":[8,7]}}""");
        Assert.Equal("x\n6 7 8\n", bundle.Must("exec", "--process", file, Bundle.Id));
        CommandResult missing = bundle.Command("exec", Bundle.Id, "/no/such");
        Assert.Equal((127, "runsc: exec: \"/no/such\": stat /no/such: no such file or directory\n"), (missing.ExitCode, missing.Error));
    }

    [Fact]
    public void Exec_RunsInAContainerThatIsOnlyCreated()
    {
        using Bundle bundle = new(root, "echo up; exec sleep 1000");
        Assert.Equal(0, bundle.Create().ExitCode);
        Assert.Equal("before\n", bundle.Must("exec", Bundle.Id, "echo", "before"));
        Assert.Equal(7, bundle.Command("exec", Bundle.Id, "sh", "-c", "kill -0 1 && exit 7").ExitCode);
        Assert.Equal(("created", ""), (bundle.Read("status"), bundle.Output));
        bundle.Must("start", Bundle.Id);
        Patience.Await(() => bundle.Output == "up\n", "start");
        Assert.Equal("after\n", bundle.Must("exec", Bundle.Id, "echo", "after"));
    }

    [Fact]
    public void DetachedExec_HasAProcessThatStandsForIt()
    {
        using Bundle bundle = new(root, Idle);
        bundle.Start();
        string outer = Path.Combine(bundle.Folder, "outer");
        string inner = Path.Combine(bundle.Folder, "inner");
        CommandResult result = bundle.Detached("exec", "--detach", "--pid-file", outer, "--internal-pid-file", inner, Bundle.Id, "sleep", "200");
        Assert.Equal(0, result.ExitCode);
        Assert.Contains($" {File.ReadAllText(inner)} ", bundle.Must("ps", Bundle.Id), StringComparison.Ordinal);
        Assert.Contains("sleep 200", bundle.Must("exec", Bundle.Id, "ps"), StringComparison.Ordinal);
        Assert.Equal([bundle.Read("pid"), File.ReadAllText(outer)], JsonNode.Parse(bundle.Must("ps", "--format", "json", Bundle.Id))!.AsArray().Select(static pid => pid!.ToString()));
        Runsc.Execute(["/bin/kill", "-KILL", File.ReadAllText(outer)]);
        Patience.Await(() => !bundle.Must("exec", Bundle.Id, "ps").Contains("sleep 200", StringComparison.Ordinal), "the end of the process");
    }

    [Fact]
    public void List_ShowsContainers()
    {
        using Bundle bundle = new(root, Idle);
        bundle.Start();
        Assert.Equal("c\n", bundle.Must("list", "--quiet"));
        JsonNode listed = Assert.Single(JsonNode.Parse(bundle.Must("list", "--format", "json"))!.AsArray())!;
        Assert.Equal(("c", "running", bundle.Folder, "root"), (listed["id"]!.ToString(), listed["status"]!.ToString(), listed["bundle"]!.ToString(), listed["owner"]!.ToString()));
        Assert.StartsWith("ID", bundle.Must("list"), StringComparison.Ordinal);
    }

    [Fact]
    public void Events_CountMemoryAndTasks()
    {
        using Bundle bundle = new(root, Idle);
        bundle.Start();
        JsonNode line = JsonNode.Parse(bundle.Must("events", "--stats", Bundle.Id))!;
        Assert.Equal(("stats", "c"), (line["type"]!.ToString(), line["id"]!.ToString()));
        Assert.Equal(1, (int)line["data"]!["pids"]!["current"]!);
        Assert.True((long)line["data"]!["memory"]!["usage"]!["usage"]! > 0);
    }

    [Fact]
    public void Kill_ReachesAllProcesses()
    {
        using Bundle bundle = new(root, "trap 'echo first' USR1; sh -c 'trap \"echo second\" USR1; echo up; while :; do sleep 0.05; done' & while :; do sleep 0.05; done");
        bundle.Start();
        Patience.Await(() => bundle.Output == "up\n", "start");
        bundle.Must("kill", "--all", Bundle.Id, "USR1");
        Patience.Await(() => bundle.Output.Contains("first", StringComparison.Ordinal) && bundle.Output.Contains("second", StringComparison.Ordinal), "both");
    }

    [Fact]
    public void PreservedDescriptors_AreInherited()
    {
        using Bundle bundle = new(root, "cat <&3");
        string file = Path.Combine(bundle.Folder, "inherited");
        File.WriteAllText(file, "through 3\n");
        CommandResult result = Runsc.Execute(["/bin/sh", "-c", $"exec \"$@\" 3< {file}", "sh", Runsc.Executable, "--root", bundle.State, "--log", "/dev/null", "run", "--bundle", bundle.Folder, "--preserve-fds", "1", Bundle.Id]);
        Assert.Equal((0, "through 3\n", ""), (result.ExitCode, result.Output, result.Error));
    }

    [Fact]
    public void SandboxThatIsKilled_IsStopped_AndCanBeDeleted()
    {
        using Bundle bundle = new(root, Idle);
        bundle.Start();
        Runsc.Execute(["/bin/kill", "-KILL", bundle.Read("pid")]);
        bundle.Await("stopped");
        CommandResult dead = bundle.Command("exec", Bundle.Id, "true");
        Assert.Equal((128, "runsc: container not running\n"), (dead.ExitCode, dead.Error));
        Assert.Equal((128, "runsc: os: process already finished\n"), (bundle.Command("kill", Bundle.Id, "TERM").ExitCode, bundle.Command("kill", Bundle.Id, "TERM").Error));
        bundle.Must("delete", Bundle.Id);
        bundle.AssertNothingLeft();
    }

    [Fact]
    public async Task ConcurrentCommands_OnOneName_HaveOneWinner()
    {
        using Bundle bundle = new(root, Idle);
        Task<CommandResult>[] creates = [.. Enumerable.Range(0, 6).Select(i => Task.Run(() => Runsc.Execute(
            ["/bin/sh", "-c", "exec \"$@\" < /dev/null > /dev/null 2> \"$0\"", Path.Combine(bundle.Folder, $"errors{i}"), Runsc.Executable, "--root", bundle.State, "create", "--bundle", bundle.Folder, Bundle.Id])))];
        int[] created = [.. (await Task.WhenAll(creates)).Select(static result => result.ExitCode)];
        Assert.Equal(1, created.Count(static status => status == 0));
        Assert.All(created, static status => Assert.True(status is 0 or 128));

        int[] started = await All(6, () => bundle.Command("start", Bundle.Id).ExitCode);
        Assert.Equal(1, started.Count(static status => status == 0));
        Assert.Equal("running", bundle.Read("status"));
        Assert.All(await All(4, () => bundle.Command("delete", "--force", Bundle.Id).ExitCode), static status => Assert.Equal(0, status));
        bundle.AssertNothingLeft();
    }

    [Fact]
    public void Limits_AreInTheCgroupThatTheConfigurationNames()
    {
        using Bundle bundle = new(root, Idle);
        string name = Path.GetFileName(bundle.Folder);
        bundle.Set("linux.cgroupsPath", $"\"/{name}\"").Set("linux.resources", """{"memory":{"limit":67108864},"cpu":{"quota":50000,"period":100000,"shares":512},"pids":{"limit":10}}""");
        bundle.Start();
        string Value(string hierarchy, string file) => File.ReadAllText($"/sys/fs/cgroup/{hierarchy}/{name}/{file}").Trim();
        Assert.SkipUnless(Directory.Exists("/sys/fs/cgroup/memory"), "cgroup version 1 only");
        Assert.Equal("67108864", Value("memory", "memory.limit_in_bytes"));
        Assert.Equal(("50000", "100000", "512"), (Value("cpu", "cpu.cfs_quota_us"), Value("cpu", "cpu.cfs_period_us"), Value("cpu", "cpu.shares")));
        Assert.True(int.Parse(Value("pids", "pids.max"), CultureInfo.InvariantCulture) > 10);
        string[] members = File.ReadAllLines($"/sys/fs/cgroup/memory/{name}/cgroup.procs");
        Assert.Contains(bundle.Read("pid"), members);
        Assert.True(members.Length >= 3, "the Sentry, the Gofer and a stub");

        string update = Path.Combine(bundle.Folder, "update.json");
        File.WriteAllText(update, """{"memory":{"limit":134217728}}""");
        bundle.Must("update", "--resources", update, Bundle.Id);
        Assert.Equal("134217728", Value("memory", "memory.limit_in_bytes"));
        bundle.Must("delete", "--force", Bundle.Id);
        Assert.DoesNotContain(Directory.GetDirectories("/sys/fs/cgroup"), hierarchy => Directory.Exists(Path.Combine(hierarchy, name)));
    }

    private static Task<T[]> All<T>(int count, Func<T> work) => Task.WhenAll(Enumerable.Range(0, count).Select(_ => Task.Run(work)));
}
