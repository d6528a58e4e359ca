namespace Moat.Sandbox.Tests.Confinement;

/// <summary>An ordinary user's sandbox.</summary>
public sealed class RootlessTests : IDisposable
{
    private const string Nobody = "65534";
    private readonly string _folder = TestRun.MakeSeenFolder("rootless");
    private readonly string[] _runsc;

    public RootlessTests()
    {
        // Where an ordinary user can execute it, and write its state.
        Runsc.CopyProgram(Runsc.Binary, Path.Combine(_folder, "runsc"));
        Assert.Equal(0, Runsc.Execute(["/bin/sh", "-c", $"chmod 755 {_folder} {_folder}/runsc; mkdir {_folder}/state; chown {Nobody}:{Nobody} {_folder}/state"]).ExitCode);
        _runsc = ["setpriv", $"--reuid={Nobody}", $"--regid={Nobody}", "--clear-groups", "--inh-caps=-all", Path.Combine(_folder, "runsc"), .. Runsc.PlatformFlags, $"--root={_folder}/state", "--rootless"];
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Do_RunsACommand_AsRootOfTheSandbox()
    {
        CommandResult result = Runsc.Execute([.. _runsc, "do", "/bin/sh", "-c", "id -u; echo inside > /etc/moat-new && cat /etc/moat-new; cat /etc/shadow 2>/dev/null; echo $?"]);
        Assert.Equal((0, "0\ninside\n1\n"), (result.ExitCode, result.Output));
        Assert.False(File.Exists("/etc/moat-new"));
        Assert.Empty(Directory.GetFileSystemEntries($"{_folder}/state"));
    }

    [Fact]
    public void Do_EndsWithTheCommandsStatus() => Assert.Equal(7, Runsc.Execute([.. _runsc, "do", "/bin/sh", "-c", "exit 7"]).ExitCode);

    [Fact]
    public void Do_AsRoot_WorksWithTheFlagToo()
    {
        CommandResult result = Runsc.Execute([Runsc.Executable, "--rootless", "do", "/bin/echo", "hello"]);
        Assert.Equal((0, "hello\n"), (result.ExitCode, result.Output));
    }

    [Fact]
    public void Run_OfABundleOfTheUsers_Works()
    {
        string bundle = Path.Combine(_folder, "bundle");
        string make = $"mkdir -p {bundle}/rootfs/bin {bundle}/rootfs/proc {bundle}/rootfs/dev {bundle}/rootfs/data && cp /bin/busybox {bundle}/rootfs/bin/sh && cd {bundle} && {Runsc.Binary} spec -- /bin/sh -c 'echo bundle; id -u; echo new > /data/f; cat /data/f'"
            + $" && chown -R {Nobody}:{Nobody} {bundle}";
        CommandResult made = Runsc.Execute(["/bin/sh", "-c", make]);
        Assert.True(made.ExitCode == 0, made.Error);
        string config = Path.Combine(bundle, "config.json");
        File.WriteAllText(config, File.ReadAllText(config).Replace("\"terminal\": true", "\"terminal\": false", StringComparison.Ordinal).Replace("\"readonly\": true", "\"readonly\": false", StringComparison.Ordinal));
        CommandResult result = Runsc.Execute([.. _runsc, "run", $"--bundle={bundle}", "rootless-1"]);
        Assert.Equal((0, "bundle\n0\nnew\n"), (result.ExitCode, result.Output));
        Assert.Empty(Directory.GetFileSystemEntries($"{bundle}/rootfs/data")); // under an overlay
    }

    [Fact]
    public void Processes_AreConfinedAsRootsAre()
    {
        using RunningSandbox sandbox = new(_runsc);
        Assert.Equal("", sandbox.Sentry.Read("uid_map").Trim());
        foreach (SandboxProcess process in (SandboxProcess[])[sandbox.Sentry, .. sandbox.Stubs])
        {
            Assert.All((string[])["CapPrm", "CapEff", "CapBnd", "CapInh"], set => Assert.Equal("0000000000000000", process.Status(set)));
            Assert.Equal(("1", "2"), (process.Status("NoNewPrivs"), process.Status("Seccomp")));
            Assert.Empty(Directory.GetFileSystemEntries($"/proc/{process.Pid}/root/"));
        }

        Assert.Equal(["0", Nobody, "1"], sandbox.Gofer.Read("uid_map").Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
        Assert.Equal("000000000000001b", sandbox.Gofer.Status("CapEff"));
        Assert.Equal("2", sandbox.Gofer.Status("Seccomp"));
    }
}
