using System.Globalization;

namespace Moat.Engine.Tests;

/// <summary>What docker does with a running container.</summary>
[Collection(DockerDaemon.Collection)]
public sealed class DockerContainerTests(DockerDaemon daemon) : IDisposable
{
    private const string Name = "under-test";
    private const string Count = "i=0; while :; do i=$((i+1)); echo $i; sleep 0.05; done";

    public void Dispose() => daemon.Docker("rm", "-f", Name);

    [Fact]
    public void Exec_RunsBesideTheFirstProcess()
    {
        Start("sleep 1000");
        Assert.Equal("under-test\nsleep\n", daemon.Must("exec", Name, "sh", "-c", "echo under-test; cat /proc/1/comm") + "\n");
        Assert.Equal("5\n/tmp\nuid=1000(user) gid=1000(user) groups=1000(user)\n/home/user", daemon.Must("exec", "-e", "A=5", "-w", "/tmp", "-u", "user", Name, "sh", "-c", "echo $A; pwd; id; echo $HOME"));
        Assert.Equal(3, daemon.Docker("exec", Name, "sh", "-c", "exit 3").ExitCode);
        Assert.Equal(137, daemon.Docker("exec", Name, "sh", "-c", "kill -9 $$").ExitCode);
        Assert.Equal("input\n", daemon.DockerWith("input\n", "exec", "-i", Name, "cat").Output);
    }

    [Theory]
    [InlineData("nosuch")]
    [InlineData("/etc")]
    public void Exec_OfWhatCannotRun_TellsWhy(string program)
    {
        Start("sleep 1000");
        CommandResult result = daemon.Docker("exec", Name, program);
        Assert.InRange(result.ExitCode, 126, 127); // which one is the engine's choice
        Assert.Contains($"exec: \"{program}\"", result.Output + result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void DetachedExec_GoesOn()
    {
        Start("sleep 1000");
        daemon.Must("exec", "-d", Name, "sh", "-c", "sleep 0.2; echo done > /tmp/mark; sleep 1000");
        Patience.Await(() => daemon.Docker("exec", Name, "cat", "/tmp/mark").Output == "done\n", "the detached process's file");
        Patience.Await(() => daemon.Docker("exec", Name, "sh", "-c", "ps | grep -c '[s]leep 1000$'").Output == "2\n", "what it does next");
    }

    [Fact]
    public void Stop_SendsSigterm_AndTheExitCodeIsKept()
    {
        Start("trap 'echo got; exit 4' TERM; echo ready; while :; do sleep 0.05; done");
        AwaitLog("ready\n");
        daemon.Must("stop", Name);
        Assert.Equal("exited 4 0", State("{{.State.Status}} {{.State.ExitCode}} {{.State.Pid}}"));
        Assert.Equal("ready\ngot", daemon.Must("logs", Name));
    }

    [Fact]
    public void Stop_KillsWhatIgnoresSigterm()
    {
        Start("trap '' TERM; while :; do sleep 1; done");
        daemon.Must("stop", "-t", "1", Name);
        Assert.Equal("exited 137", State("{{.State.Status}} {{.State.ExitCode}}"));
    }

    [Fact]
    public void Kill_SendsAnySignal()
    {
        Start("trap 'echo one' USR1; echo ready; while :; do sleep 0.05; done");
        AwaitLog("ready\n");
        daemon.Must("kill", "-s", "USR1", Name);
        AwaitLog("ready\none\n");
        Assert.Equal("running", State("{{.State.Status}}"));
        daemon.Must("kill", Name);
        Assert.Equal("137", daemon.Must("wait", Name));
    }

    [Fact]
    public void Wait_GivesTheExitCode()
    {
        Start("sleep 0.5; exit 9");
        Assert.Equal("9", daemon.Must("wait", Name));
    }

    [Fact]
    public void Top_ListsTheContainer()
    {
        Start("sleep 1000");
        string[] lines = daemon.Must("top", Name, "-o", "pid,comm").Split('\n');
        Assert.True(lines.Length >= 2, string.Join('|', lines));
        Assert.StartsWith("PID", lines[0], StringComparison.Ordinal);
        daemon.Must("exec", "-d", Name, "sleep", "2000");
        string[] commands = daemon.Must("top", Name).Split('\n');
        Assert.Contains(commands, static line => line.Contains("runsc boot ", StringComparison.Ordinal) && line.Contains("sleep 1000", StringComparison.Ordinal));
        Assert.Contains(commands, static line => line.EndsWith("sleep 2000", StringComparison.Ordinal));
    }

    [Fact]
    public void Pause_StopsTheClockOfThePrograms_AndUnpauseStartsIt()
    {
        Start(Count);
        Patience.Await(() => Lines() > 2, "output");
        daemon.Must("pause", Name);
        Assert.Equal("paused", State("{{.State.Status}}"));
        int paused = Lines();
        Patience.Await(() => !HasMoreLines(ref paused), "the end of the output that was under way");
        Assert.Contains("is paused", daemon.Docker("exec", Name, "true").Error, StringComparison.Ordinal);
        daemon.Must("unpause", Name);
        Patience.Await(() => Lines() > paused + 2, "more output");
    }

    [Fact]
    public void PausedContainer_IsRemovedByForce()
    {
        Start("sleep 1000");
        daemon.Must("pause", Name);
        daemon.Must("rm", "-f", Name);
    }

    [Fact]
    public void Stats_CountMemoryAndTasks()
    {
        Start("sleep 1000", "--memory=100m");
        string[] fields = daemon.Must("stats", "--no-stream", "--format", "{{.PIDs}}|{{.MemUsage}}", Name).Split('|');
        Assert.True(int.Parse(fields[0], CultureInfo.InvariantCulture) > 0, fields[0]);
        Assert.EndsWith(" / 100MiB", fields[1], StringComparison.Ordinal);
        Assert.False(fields[1].StartsWith("0B", StringComparison.Ordinal), fields[1]);
    }

    [Fact]
    public void Logs_KeepOutputAndErrorsApart()
    {
        Start("echo out; echo err >&2");
        daemon.Must("wait", Name);
        CommandResult logs = daemon.Docker("logs", Name);
        Assert.Equal(("out\n", "err\n"), (logs.Output, logs.Error));
    }

    [Fact]
    public void Restart_StartsAgainWithAFreshRoot()
    {
        // The overlay is the sandbox's memory: it goes with the sandbox.
        Start("test -e /mark && echo old; touch /mark; echo up; sleep 1000");
        AwaitLog("up\n");
        daemon.Must("restart", "-t", "0", Name);
        AwaitLog("up\nup\n");
        Assert.Equal("running", State("{{.State.Status}}"));
    }

    [Fact]
    public void RestartPolicy_IsFollowed()
    {
        daemon.Must("run", "-d", "--name", Name, "--restart=on-failure:2", "--runtime=runsc", "--network=none", "busybox", "sh", "-c", "exit 3");
        Patience.Await(() => State("{{.State.Status}} {{.RestartCount}} {{.State.ExitCode}}") == "exited 2 3", "two restarts");
    }

    [Fact]
    public void Copy_GoesIntoTheContainer_ButWhatItWroteStaysInItsMemory()
    {
        Start("echo inside > /made; echo ready; sleep 1000");
        AwaitLog("ready\n");
        string file = Path.Combine(daemon.Folder, "copied");
        File.WriteAllText(file, "outside\n");
        daemon.Must("cp", file, $"{Name}:/copied");
        Assert.Equal("outside", daemon.Must("exec", Name, "cat", "/copied"));
        Assert.Matches("(Could not find the file|No such container:path:) .*/made", daemon.Docker("cp", $"{Name}:/made", file).Error); // clients word it differently
    }

    [Fact]
    public void WithoutOverlay_WhatTheContainerWroteIsDockers()
    {
        daemon.Must("run", "-d", "--name", Name, "--runtime=runsc-direct", "--network=none", "busybox", "sh", "-c", "echo inside >> /made; echo ready; sleep 1000");
        AwaitLog("ready\n");
        string file = Path.Combine(daemon.Folder, "made");
        daemon.Must("cp", $"{Name}:/made", file);
        Assert.Equal("inside\n", File.ReadAllText(file));
        Assert.Equal("A /made", daemon.Must("diff", Name));
        daemon.Must("restart", "-t", "0", Name);
        AwaitLog("ready\nready\n");
        Assert.Equal("inside\ninside", daemon.Must("exec", Name, "cat", "/made"));
    }

    [Fact]
    public void Limits_AreInTheHostsCgroup_WithAllItsProcesses()
    {
        Start("sleep 1000", "--memory=64m", "--cpus=0.5");
        string id = State("{{.Id}}");
        string memory = Assert.Single(daemon.FindCgroups(id), static path => path.StartsWith("/sys/fs/cgroup/memory/", StringComparison.Ordinal));
        Assert.Equal("67108864\n", File.ReadAllText(Path.Combine(memory, "memory.limit_in_bytes")));
        string cpu = Assert.Single(daemon.FindCgroups(id), static path => path.StartsWith("/sys/fs/cgroup/cpu/", StringComparison.Ordinal));
        Assert.Equal("50000\n", File.ReadAllText(Path.Combine(cpu, "cpu.cfs_quota_us")));
        string[] roles = [.. Members(memory).Select(static member => member.Role)];
        Assert.Contains("boot", roles);
        Assert.Contains("gofer", roles);
        Assert.Contains("stub", roles);

        daemon.Must("update", "--memory=128m", "--memory-swap=256m", Name);
        Assert.Equal("134217728\n", File.ReadAllText(Path.Combine(memory, "memory.limit_in_bytes")));
        daemon.Must("rm", "-f", Name);
        Assert.Empty(daemon.FindCgroups(id));
    }

    [Fact]
    public void KilledSandbox_IsSeenAsStopped()
    {
        Start("sleep 1000");
        string id = State("{{.Id}}");
        string memory = daemon.FindCgroups(id)[0];
        string sentry = Members(memory).First(static member => member.Role == "boot").Pid;
        Runsc.Execute(["/bin/kill", "-KILL", sentry]);
        Patience.Await(() => State("{{.State.Status}} {{.State.ExitCode}}") == "exited 137", "the end");
    }

    [Fact]
    public void HealthCheck_IsRun()
    {
        daemon.Must("run", "-d", "--name", Name, "--health-cmd=test -e /tmp/ok", "--health-interval=1s", "--runtime=runsc", "--network=none", "busybox", "sh", "-c", "touch /tmp/ok; sleep 1000");
        Patience.Await(() => State("{{.State.Health.Status}}") == "healthy", "the check");
    }

    [Fact]
    public void Nothing_IsLeft_OfRemovedContainers()
    {
        Start("sleep 1000");
        string id = State("{{.Id}}");
        daemon.Must("rm", "-f", Name);
        Assert.Empty(daemon.FindCgroups(id));
        Assert.Empty(Directory.GetFileSystemEntries(daemon.Folder, $"*{id}*", new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true, AttributesToSkip = 0 }));
        Patience.Await(() => !Runsc.Execute(["ps", "-eo", "args"]).Output.Contains(id, StringComparison.Ordinal), "the end of its processes");
    }

    private void Start(string script, params string[] options) =>
        daemon.Must(["run", "-d", "--name", Name, "--runtime=runsc", "--network=none", .. options, "busybox", "sh", "-c", script.StartsWith("sleep 1000", StringComparison.Ordinal) ? "exec " + script : script]);

    private string State(string format) => daemon.Must("inspect", "-f", format, Name);

    private int Lines() => daemon.Docker("logs", Name).Output.Split('\n').Length;

    // The processes of a cgroup: what the Sentry and the Gofer call themselves, and stubs, which have no command line. Stubs come and go.
    private static List<(string Pid, string Role)> Members(string cgroup)
    {
        List<(string, string)> members = [];
        foreach (string pid in File.ReadAllLines(Path.Combine(cgroup, "cgroup.procs")))
        {
            try
            {
                members.Add((pid, File.ReadAllText($"/proc/{pid}/cmdline").Split('\0').ElementAtOrDefault(1) ?? "stub"));
            }
            catch (IOException)
            {
                // gone meanwhile
            }
        }

        return members;
    }

    // Ten times as long as a program that runs takes for a line.
    private bool HasMoreLines(ref int count)
    {
        int before = count;
        Thread.Sleep(500);
        count = Lines();
        return count != before;
    }

    private void AwaitLog(string text) => Patience.Await(() => daemon.Docker("logs", Name).Output == text, $"the log \"{text}\"");
}
