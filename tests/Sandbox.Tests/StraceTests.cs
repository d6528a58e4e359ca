using System.Text.RegularExpressions;

namespace Moat.Sandbox.Tests;

/// <summary><c>--strace</c> shows the calls of a program as strace(1) does: the same lines, but for addresses, numbers of processes and times.</summary>
public sealed class StraceTests : IDisposable
{
    private readonly string _folder = TestRun.MakeSeenFolder("strace");

    [Theory]
    [InlineData("openat(AT_FDCWD, \"/no/such\", O_RDONLY) = -1 ENOENT (No such file or directory)", "cat /no/such")]
    [InlineData("mkdir(\"/tmp/moat-d\", 0777) = 0", "mkdir /tmp/moat-d")]
    [InlineData("write(1, \"a\\tb\\n\", 4) = 4", "printf 'a\\tb\\n'")]
    [InlineData("exit_group(3) = ?", "exit 3")]
    [InlineData("+++ exited with 3 +++", "exit 3")]
    [InlineData("+++ killed by SIGKILL +++", "sleep 9 & kill -9 $!; wait")]
    [InlineData("wait4(-1, [{WIFEXITED(s) && WEXITSTATUS(s) == 7}], 0, NULL) = ", "(exit 7); echo")]
    [InlineData("newfstatat(AT_FDCWD, \"/dev/null\", {st_mode=S_IFCHR|0666, st_rdev=makedev(0x1, 0x3), ...}, 0) = 0", "test -c /dev/null")]
    [InlineData("uname({sysname=\"Linux\", nodename=", "uname")]
    [InlineData("prlimit64(0, RLIMIT_STACK, NULL, {rlim_cur=", "true")]
    [InlineData("arch_prctl(ARCH_SET_FS, ", "true")]
    [InlineData("--- SIGUSR1 {si_signo=SIGUSR1, si_code=0} ---", "trap : USR1; kill -USR1 $$")]
    public void Line_IsThere(string line, string script)
    {
        string log = Path.Combine(_folder, "log");
        Runsc.Execute([Runsc.Executable, "-strace", $"-debug-log={log}", "do", "/bin/busybox", "sh", "-c", script]);
        string text = File.ReadAllText(log);
        Assert.Contains(line, text, StringComparison.Ordinal);
    }

    [Fact]
    public void Do_WithoutALog_PrintsToStandardError()
    {
        CommandResult result = Runsc.Execute([Runsc.Executable, "-strace", "do", "/bin/busybox", "echo", "out"]);
        Assert.Equal((0, "out\n"), (result.ExitCode, result.Output));
        Assert.Contains("write(1, \"out\\n\", 4) = 4", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Calls_AreThoseThatStraceShows()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/strace"), "needs strace");
        string native = Path.Combine(_folder, "native");
        string[] command = ["/bin/busybox", "cat", "/etc/hostname", "/no/such/file", "/etc"];
        Runsc.Execute(["/usr/bin/strace", "-f", "-s", "1024", "-o", native, .. command]);
        string log = Path.Combine(_folder, "log");
        Runsc.Execute([Runsc.Executable, "-strace", $"-debug-log={log}", "do", .. command]);
        string[] expected = Normalize(File.ReadAllLines(native), @"^\d+ +");
        string[] actual = Normalize([.. File.ReadAllLines(log).Where(static line => line.Contains("] busybox ", StringComparison.Ordinal))], @"^.*\] busybox ");
        Assert.Equal(expected, actual);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    // From the first open on: what comes before is the C library's start, which asks the kernel what it is.
    private static string[] Normalize(string[] lines, string prefix) =>
    [
        .. lines.Select(line => Regex.Replace(line, prefix, ""))
            .Select(static line => Regex.Replace(line, @" <\d+\.\d+>$", ""))
            .Select(static line => Regex.Replace(line, @"0x[0-9a-f]{4,}", "ADDRESS"))
            .Select(static line => Regex.Replace(line, @"\) +=", ") ="))
            .SkipWhile(static line => !line.StartsWith("open", StringComparison.Ordinal)),
    ];
}
