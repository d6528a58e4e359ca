using System.Globalization;

namespace Moat.TestSupport;

/// <summary>This run of a test project. What it makes on the host carries its name: folders, cgroups and sockets in their own, processes in their environment. By that tools/clear-dead-runs
/// finds what a run that was killed has left behind.</summary>
public static class TestRun
{
    private static int s_made;

    /// <summary>moat-test-PIDNS-PID-START: the pid namespace, the process in it, and when that started (field 22 of proc_pid_stat(5)), which no other process ever has all of.</summary>
    public static string Name { get; } = Announce();

    /// <summary>A name that nobody else uses.</summary>
    /// <param name="what">Letters that say what it names.</param>
    public static string NewName(string what) => string.Create(CultureInfo.InvariantCulture, $"{Name}-{what}{Interlocked.Increment(ref s_made)}");

    /// <summary>Makes a folder in /tmp, where a command of <c>runsc do</c> and the native side of guest programs do not see it.</summary>
    public static string MakeFolder(string what) => Directory.CreateDirectory($"/tmp/{NewName(what)}").FullName;

    /// <summary>Makes a folder in /var/tmp, which they see.</summary>
    public static string MakeSeenFolder(string what) => Directory.CreateDirectory($"/var/tmp/{NewName(what)}").FullName;

    private static string Announce()
    {
        string space = new FileInfo("/proc/self/ns/pid").LinkTarget!; // pid:[4026531836]
        string stat = File.ReadAllText("/proc/self/stat");
        string start = stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[22 - 3];
        string name = string.Create(CultureInfo.InvariantCulture, $"moat-test-{space[5..^1]}-{Environment.ProcessId}-{start}");
        Environment.SetEnvironmentVariable("MOAT_TEST_RUN", name);
        return name;
    }
}
