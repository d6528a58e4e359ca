namespace Moat.Engine.Tests;

/// <summary>docker run and its options.</summary>
[Collection(DockerDaemon.Collection)]
public sealed class DockerRunTests(DockerDaemon daemon)
{
    [Fact]
    public void HelloWorld_PrintsItsMessage()
    {
        CommandResult result = daemon.Docker("run", "--rm", "--runtime=runsc", "--network=none", "hello-world");
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        Assert.Contains("\nHello from Docker!\n", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Kernel_IsTheSandboxs() => Assert.EndsWith("-moat\n", daemon.Run("", "uname", "-r").Output, StringComparison.Ordinal);

    [Theory]
    [InlineData("-e A=1 -e B=two", "echo $A $B", "1 two\n")]
    [InlineData("-w /var/new", "pwd", "/var/new\n")]
    [InlineData("--hostname box", "hostname; cat /etc/hostname; echo $HOSTNAME; tail -n1 /etc/hosts | grep -c box", "box\nbox\nbox\n0\n")]
    [InlineData("--domainname example", "cat /proc/sys/kernel/domainname", "example\n")]
    [InlineData("--user 1000:1000", "id; echo $HOME; touch /x 2>&1; grep CapEff /proc/self/status", "uid=1000(user) gid=1000(user) groups=1000(user)\n/home/user\ntouch: /x: Permission denied\nCapEff:\t0000000000000000\n")]
    [InlineData("--user user --group-add 7", "id", "uid=1000(user) gid=1000(user) groups=7,1000(user)\n")]
    [InlineData("--read-only", "touch /x 2>&1; touch /dev/shm/y && echo ok; grep ' / ' /proc/mounts | cut -d' ' -f4 | cut -d, -f1", "touch: /x: Read-only file system\nok\nro\n")]
    [InlineData("--read-only --tmpfs /scratch:mode=1770,uid=1000", "touch /scratch/y && stat -c '%a %u' /scratch; grep -c '/scratch tmpfs' /proc/mounts", "1770 1000\n1\n")]
    [InlineData("--tmpfs /t:size=1m", "dd if=/dev/zero of=/t/f bs=64k count=32 2>&1 | head -n1; stat -c %s /t/f; rm /t/f && echo x > /t/g && cat /t/g", "dd: error writing '/t/f': No space left on device\n1048576\nx\n")]
    [InlineData("--shm-size 3m", "df -k /dev/shm | tail -n1 | tr -s ' ' | cut -d' ' -f2", "3072\n")]
    [InlineData("--memory 64m", "free -m | sed -n 2p | tr -s ' ' | cut -d' ' -f2", "64\n")]
    [InlineData("--cap-drop ALL --cap-add CHOWN", "grep CapBnd /proc/self/status; chown 5 /etc/passwd && stat -c %u /etc/passwd", "CapBnd:\t0000000000000001\n5\n")]
    [InlineData("--cap-drop CHOWN", "chown 5 /etc/passwd 2>&1", "chown: /etc/passwd: Operation not permitted\n")]
    [InlineData("--security-opt no-new-privileges", "grep NoNewPrivs /proc/self/status", "NoNewPrivs:\t1\n")]
    [InlineData("--ulimit nofile=100:200 --ulimit core=0", "ulimit -n; ulimit -Hn; ulimit -c", "100\n200\n0\n")]
    [InlineData("--pid host --ipc host", "ps > /ps; wc -l < /ps", "3\n")]
    [InlineData("--init", "cat /proc/1/comm; exit 0", "docker-init\n")]
    [InlineData("--device /dev/zero:/dev/other", "head -c 3 /dev/other | od -An -tx1", " 00 00 00\n")]
    [InlineData("", "ls -A /sys/firmware; echo x 2>/dev/null > /proc/sys/kernel/hostname || echo no", "no\n")]
    [InlineData("-v /data", "echo x > /data/f && cat /data/f", "x\n")]
    public void Option_HasItsEffect(string options, string script, string output)
    {
        CommandResult result = daemon.Run(options, "sh", "-c", script);
        Assert.Equal(output, result.Output);
    }

    [Fact]
    public void PidsLimit_StopsForks()
    {
        CommandResult result = daemon.Run("--pids-limit 4", "sh", "-c", "sleep 1 & sleep 1 & sleep 1 & sleep 1 & wait");
        Assert.Contains("can't fork", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Sysctl_ThatASandboxCannotHave_IsRefused()
    {
        CommandResult result = daemon.Run("--sysctl kernel.shmmax=12345", "true");
        Assert.Equal(125, result.ExitCode);
        Assert.Contains("config.json: linux.sysctl: kernel.shmmax cannot be \"12345\" in a sandbox", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("exit 7", 7)]
    [InlineData("kill -9 $$; sleep 1", 137)]
    [InlineData("sh -c 'kill -TERM $$'; exit $?", 143)]
    public void ExitCode_IsTheProgramS(string script, int status)
    {
        // The first process of a container is spared its own signals, so the shell that dies is a child.
        CommandResult result = daemon.Run("--init", "sh", "-c", script);
        Assert.Equal(status, result.ExitCode);
    }

    [Theory]
    [InlineData("nosuch", 127, "exec: \"nosuch\": executable file not found in $PATH")]
    [InlineData("/no/such", 127, "exec: \"/no/such\": stat /no/such: no such file or directory")]
    [InlineData("/etc", 126, "exec: \"/etc\": permission denied")]
    [InlineData("/etc/passwd", 126, "exec: \"/etc/passwd\": permission denied")]
    public void ProgramThatCannotRun_IsOneLine_AndLeavesNothing(string program, int status, string message)
    {
        CommandResult result = daemon.Docker("run", "--name=unlucky", "--runtime=runsc", "--network=none", "busybox", program);
        string id = daemon.Must("inspect", "-f", "{{.Id}}", "unlucky");
        daemon.Must("rm", "-f", "unlucky");
        Assert.Equal(status, result.ExitCode);
        Assert.Contains($"OCI runtime create failed: {message}: unknown", result.Error, StringComparison.Ordinal);
        Assert.Empty(daemon.FindCgroups(id));
    }

    [Fact]
    public void UnknownOption_Is125() => Assert.Equal(125, daemon.Run("--no-such-option", "true").ExitCode);

    [Fact]
    public void HostNetwork_IsRefusedInOneLine()
    {
        CommandResult result = daemon.Docker("run", "--rm", "--runtime=runsc", "--network=host", "busybox", "true");
        Assert.Equal(125, result.ExitCode);
        Assert.Contains("the host's own network cannot be taken over: use --network=host or --network=none", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Input_ReachesTheProgram_AndItsEndToo()
    {
        CommandResult result = daemon.DockerWith("one\ntwo\n", "run", "-i", "--rm", "--runtime=runsc", "--network=none", "busybox", "wc", "-l");
        Assert.Equal("2\n", result.Output);
    }

    [Fact]
    public void BindMount_IsWrittenThrough_UnlessReadOnly()
    {
        string folder = Directory.CreateDirectory(Path.Combine(daemon.Folder, "bind")).FullName;
        File.WriteAllText(Path.Combine(folder, "f"), "outside\n");
        CommandResult written = daemon.Run($"-v {folder}:/v", "sh", "-c", "cat /v/f; echo inside > /v/g; mv /v/f /v/h");
        Assert.Equal((0, "outside\n"), (written.ExitCode, written.Output));
        Assert.Equal("inside\n", File.ReadAllText(Path.Combine(folder, "g")));
        Assert.False(File.Exists(Path.Combine(folder, "f")));
        CommandResult refused = daemon.Run($"-v {folder}:/v:ro", "sh", "-c", "cat /v/g; echo x > /v/g");
        Assert.Equal((1, "inside\n"), (refused.ExitCode, refused.Output));
        Assert.Contains("Read-only file system", refused.Error, StringComparison.Ordinal);
        Assert.Equal("inside\n", File.ReadAllText(Path.Combine(folder, "g")));
    }

    [Fact]
    public void BindMountOfAFile_IsWrittenThrough_UnlessReadOnly()
    {
        string file = Path.Combine(daemon.Folder, "single");
        File.WriteAllText(file, "one\n");
        Assert.Equal("one\n", daemon.Run($"-v {file}:/etc/single", "sh", "-c", "cat /etc/single; echo two >> /etc/single").Output);
        Assert.Equal("one\ntwo\n", File.ReadAllText(file));
        Assert.Equal(1, daemon.Run($"-v {file}:/etc/single:ro", "sh", "-c", "echo three >> /etc/single").ExitCode);
        Assert.Equal("one\ntwo\n", File.ReadAllText(file));
    }

    [Fact]
    public void Mounts_DoNotTellWhereTheyAreOnTheHost() => Assert.DoesNotContain(daemon.Folder, daemon.Run("", "cat", "/proc/mounts", "/proc/self/mountinfo").Output, StringComparison.Ordinal);

    [Fact]
    public void Volume_OutlivesItsContainers()
    {
        daemon.Must("volume", "create", "kept");
        daemon.Run("-v kept:/d", "sh", "-c", "echo kept > /d/f");
        Assert.Equal("kept\n", daemon.Run("-v kept:/d", "cat", "/d/f").Output);
        daemon.Must("volume", "rm", "kept");
    }
}
