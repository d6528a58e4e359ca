namespace Moat.Sandbox.Tests;

/// <summary>A bug in the kernel ends the sandbox at once, with a clear status and everything that is needed to find it.</summary>
public sealed class CrashTests : IDisposable
{
    private readonly string _folder = TestRun.MakeFolder("crash");

    [Fact]
    public void Bug_EndsTheSandbox_WithStatus128AndOneLine()
    {
        CommandResult result = Crash();
        Assert.Equal(128, result.ExitCode);
        Assert.Equal("before\n", result.Output);
        string line = Assert.Single(result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Matches(@"^runsc: the sandbox has ended: bug in the kernel: InvalidOperationException in sysinfo of task \d+ \(busybox\): ", line);
    }

    [Fact]
    public void Bug_IsInTheDebugLog_WithStackRegistersAndLastCalls()
    {
        Crash();
        string log = File.ReadAllText(Directory.GetFiles(_folder, "*.boot.*").Single());
        Assert.Contains("System.InvalidOperationException: this call was broken", log, StringComparison.Ordinal);
        Assert.Matches(@"\n   at Moat\.Syscalls\.SyscallDispatcher\.Dispatch\(", log);
        Assert.Matches(@"\n  rip [0-9a-f]{16} rsp [0-9a-f]{16} rbp [0-9a-f]{16} flags [0-9a-f]+ orig_rax 63\n", log);
        Assert.Matches(@"\nlast calls:\n(  \w+\(.*\n)+  sysinfo\(0x[0-9a-f]+, .* <unfinished>\n", log);
        Assert.Matches(@"\n  set_robust_list\(0x[0-9a-f]+, 0x18, .*\) = 0\n", log);
    }

    [Fact]
    public void Bug_LeavesNoContainerBehind()
    {
        string root = Path.Combine(_folder, "state");
        Assert.Equal(128, Runsc.Execute([Runsc.Executable, "-root", root, "-TESTONLY-bug-in-syscall=getuid", "do", "/bin/busybox", "id"]).ExitCode);
        Assert.Empty(Directory.GetDirectories(root));
    }

    [Fact]
    public void DebugLogDir_HasAFileForEachProcess_NamedByTimeCommandAndContainer()
    {
        Assert.Equal(0, Runsc.Execute([Runsc.Executable, "-debug", "-debug-log-dir", _folder, "do", "/bin/busybox", "true"]).ExitCode);
        string[] names = [.. Directory.GetFiles(_folder).Select(static file => Path.GetFileName(file)).Order(StringComparer.Ordinal)];
        string[] roles = [.. names.Select(static name => name.Split('.')[4])];
        Assert.Equal(["boot", "gofer"], roles.Order(StringComparer.Ordinal));
        Assert.All(names, static name => Assert.Matches(@"^runsc\.log\.\d{8}-\d{6}\.\d{6}\.(boot|gofer)\.[\w-]+\.txt$", name));
        Assert.Single(names.Select(static name => name.Split('.')[5]).Distinct());
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private CommandResult Crash() =>
        Runsc.Execute([Runsc.Executable, "-debug-log-dir", _folder, "-TESTONLY-bug-in-syscall=sysinfo", "do", "/bin/busybox", "sh", "-c", "echo before; busybox free; echo after"]);
}
