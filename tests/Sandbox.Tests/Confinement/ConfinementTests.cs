namespace Moat.Sandbox.Tests.Confinement;

/// <summary>What /proc says of the processes of a running sandbox: none of them has more than it needs.</summary>
public sealed class ConfinementTests : IDisposable
{
    private const int WriteAccess = 3; // O_WRONLY | O_RDWR
    private const int PathOnly = 0x200000; // O_PATH
    private static readonly string[] s_ownNamespaces = ["pid", "mnt", "ipc", "uts", "net"];
    private static readonly string[] s_capabilitySets = ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"];
    private readonly RunningSandbox _sandbox = new(Runsc.Executable);

    public void Dispose() => _sandbox.Dispose();

    [Fact]
    public void SentryAndStubs_AreInNamespacesOfTheirOwn()
    {
        SandboxProcess self = new(Environment.ProcessId, "");
        Assert.NotEmpty(_sandbox.Stubs);
        foreach (SandboxProcess process in SentryAndStubs())
        {
            foreach (string name in (string[])["user", .. s_ownNamespaces])
            {
                Assert.NotEqual(self.Namespace(name), process.Namespace(name));
                Assert.Equal(_sandbox.Sentry.Namespace(name), process.Namespace(name));
            }

            Assert.Equal(("", ""), (process.Read("uid_map").Trim(), process.Read("gid_map").Trim())); // the empty user namespace
        }

        foreach (string name in s_ownNamespaces)
        {
            Assert.NotEqual(self.Namespace(name), _sandbox.Gofer.Namespace(name));
            Assert.NotEqual(_sandbox.Sentry.Namespace(name), _sandbox.Gofer.Namespace(name));
        }
    }

    [Fact]
    public void SentryAndStubs_HaveNoCapability_AndTheGoferFour()
    {
        foreach (SandboxProcess process in SentryAndStubs())
        {
            Assert.All(s_capabilitySets, set => Assert.Equal("0000000000000000", process.Status(set)));
        }

        const string ChownOverrideFownerFsetid = "000000000000001b";
        Assert.All((string[])["CapPrm", "CapEff", "CapBnd"], set => Assert.Equal(ChownOverrideFownerFsetid, _sandbox.Gofer.Status(set)));
        Assert.All((string[])["CapInh", "CapAmb"], set => Assert.Equal("0000000000000000", _sandbox.Gofer.Status(set)));
    }

    [Fact]
    public void All_HaveAFilter_AndNoNewPrivileges()
    {
        foreach (SandboxProcess process in (SandboxProcess[])[.. SentryAndStubs(), _sandbox.Gofer])
        {
            foreach (string task in Directory.GetDirectories($"/proc/{process.Pid}/task"))
            {
                SandboxProcess thread = new(int.Parse(Path.GetFileName(task), System.Globalization.CultureInfo.InvariantCulture), "");
                Assert.Equal(("1", "2"), (thread.Status("NoNewPrivs"), thread.Status("Seccomp")));
            }
        }
    }

    [Fact]
    public void SentryAndStubs_HaveAnEmptyRoot_ThatCannotBeWritten()
    {
        foreach (SandboxProcess process in SentryAndStubs())
        {
            string mount = Assert.Single(process.Read("mountinfo").Split('\n', StringSplitOptions.RemoveEmptyEntries));
            Assert.Matches(" / / ro,.* - tmpfs none ro", mount);
            Assert.Empty(Directory.GetFileSystemEntries($"/proc/{process.Pid}/root/"));
            Assert.Equal(("/", "/"), (new FileInfo($"/proc/{process.Pid}/root").LinkTarget, new FileInfo($"/proc/{process.Pid}/cwd").LinkTarget));
        }
    }

    [Fact]
    public void Gofer_SeesTheExportedTreeAlone_WithoutTheHostsOwnFileSystems()
    {
        string root = $"/proc/{_sandbox.Gofer.Pid}/root";
        Assert.Equal([$"{root}/0"], Directory.GetFileSystemEntries(root));
        Assert.Empty(Directory.GetFileSystemEntries($"{root}/0/proc"));
        Assert.Empty(Directory.GetFileSystemEntries($"{root}/0/sys"));
        Assert.Empty(Directory.GetFileSystemEntries($"{root}/0/dev"));
        string[] mounts = _sandbox.Gofer.Read("mountinfo").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.All(mounts.Where(static mount => !System.Text.RegularExpressions.Regex.IsMatch(mount, " /0/(proc|sys|dev)[ /]")), static mount => Assert.DoesNotMatch(" - (proc|sysfs|cgroup2?|devtmpfs|devpts) ", mount));
    }

    [Fact]
    public void NoMemory_IsWritableAndExecutable()
    {
        foreach (SandboxProcess process in (SandboxProcess[])[.. SentryAndStubs(), _sandbox.Gofer])
        {
            Assert.All(process.Read("maps").Split('\n', StringSplitOptions.RemoveEmptyEntries), static mapping =>
            {
                string access = mapping.Split(' ')[1];
                Assert.False(access.Contains('w', StringComparison.Ordinal) && access.Contains('x', StringComparison.Ordinal), mapping);
            });
        }
    }

    [Fact]
    public void SentryAndStubs_HoldNoDescriptorTheyDoNotNeed()
    {
        foreach (SandboxProcess process in SentryAndStubs())
        {
            int sockets = 0;
            int streams = 0;
            foreach ((int number, string target, int flags) in process.Descriptors())
            {
                sockets += target.StartsWith("socket:", StringComparison.Ordinal) ? 1 : 0;
                streams += target.StartsWith("pipe:", StringComparison.Ordinal) ? 1 : 0;
                bool isExpected = number <= 2 ? target == "/dev/null"
                    : target.StartsWith("pipe:", StringComparison.Ordinal) // the application's standard streams
                    || target.StartsWith("socket:", StringComparison.Ordinal) // control, and the Gofer's connection
                    || target is "anon_inode:[eventfd]" or "anon_inode:[signalfd]" // wake-ups of the Sentry's own threads, signals of a terminal
                    || target is "/memfd:moat-memory (deleted)" or "/memfd:moat-orders (deleted)" or "/memfd:moat-threads (deleted)"
                    || (target.StartsWith("/0/", StringComparison.Ordinal) && (flags & WriteAccess) == 0 && File.Exists(target[2..])); // files that the application uses, donated for reading
                Assert.True(isExpected, $"{process.CommandLine} {process.Pid}: {number} -> {target}, flags {flags:x}");
            }

            Assert.Equal((2, 3), (sockets, streams));
        }
    }

    [Fact]
    public void Gofer_HoldsNoDescriptorItDoesNotNeed()
    {
        foreach ((int number, string target, int flags) in _sandbox.Gofer.Descriptors())
        {
            bool isExpected = number <= 2 ? target == "/dev/null"
                : target.StartsWith("socket:", StringComparison.Ordinal) // one for each export
                || (flags & PathOnly) != 0; // what it serves, and its own /proc/self/fd
            Assert.True(isExpected, $"{number} -> {target}, flags {flags:x}");
        }
    }

    private IReadOnlyList<SandboxProcess> SentryAndStubs() => [_sandbox.Sentry, .. _sandbox.Stubs];
}
