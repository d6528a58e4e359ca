namespace Moat.Applications.Tests;

/// <summary>CPython's own tests of what stands on the kernel: whatever is well under runc is well in the sandbox. Tests that need an internet socket are left out where there is none.</summary>
public sealed class PythonSuiteTests
{
    private const int NativeSeconds = 600;
    private const int SandboxSeconds = 1200;

    public static TheoryData<string> Quick => ["test_posix", "test_mmap", "test_select", "test_fileio", "test_resource", "test_stat", "test_glob", "test_pwd", "test_asyncio.test_streams"];

    public static TheoryData<string> Slow =>
    [
        "test_os", "test_subprocess", "test_threading", "test_signal", "test_fcntl", "test_selectors", "test_epoll", "test_pty", "test_socket", "test_tempfile", "test_shutil", "test_io",
        "test_file", "test_time", "test_wait3", "test_wait4", "test_multiprocessing_fork", "test_asyncio", "test_ssl",
        "test_pathlib", "test_zipfile", "test_tarfile", "test_sqlite3", "test_mailbox", "test_grp", "test_eintr", "test_ioctl", "test_openpty", "test_posixpath",
    ];

    [Theory]
    [MemberData(nameof(Quick))]
    public void QuickModule_PassesWhatPassesOnLinux(string module) => Compare(module);

    [Theory]
    [Trait("speed", "slow")]
    [MemberData(nameof(Slow))]
    public void SlowModule_PassesWhatPassesOnLinux(string module) => Compare(module);

    private static void Compare(string module)
    {
        CommandResult native = DebianRoot.Execute("runc", NativeSeconds, "/usr/bin/python3", "/share/Python/suite.py", module);
        Dictionary<string, string> expected = Parse(native.Output);
        Assert.True(native.ExitCode == 0 && expected.Count > 0, $"{module} does not run on Linux: {native.Error}");
        CommandResult sandboxed = DebianRoot.Execute("runsc", SandboxSeconds, "/usr/bin/python3", "/share/Python/suite.py", module);
        Dictionary<string, string> actual = Parse(sandboxed.Output);
        string[] different =
        [
            .. expected.Where(test => test.Value == "ok" && actual.GetValueOrDefault(test.Key) is not ("ok" or "needs-network"))
                .Select(test => $"{test.Key}: {actual.GetValueOrDefault(test.Key) ?? "not run"}"),
        ];
        Assert.True(different.Length == 0, $"{different.Length} of {expected.Count} tests of {module} differ:\n{string.Join('\n', different)}\n{Tail(sandboxed.Error)}");
    }

    // "name outcome", a line for each test.
    private static Dictionary<string, string> Parse(string output)
    {
        Dictionary<string, string> outcomes = [];
        foreach (string line in output.Split('\n'))
        {
            int space = line.LastIndexOf(' ');
            if (line.StartsWith("test.", StringComparison.Ordinal) && space > 0)
            {
                outcomes[line[..space]] = line[(space + 1)..];
            }
        }

        return outcomes;
    }

    private static string Tail(string text) => text.Length > 4000 ? text[^4000..] : text;
}
