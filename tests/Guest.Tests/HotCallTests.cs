using System.Globalization;
using Moat.TestSupport;

namespace Moat.Guest.Tests;

/// <summary>The calls that applications make all the time leave no garbage: hot_calls.c makes them, the Sentry counts what each allocates (--TESTONLY-count-allocations).</summary>
public sealed class HotCallTests : IDisposable
{
    private const int Many = 1000; // calls under a section's name: fewer are its setting up

    // Calls whose result is a new object: how many bytes of it are fine.
    private static readonly Dictionary<string, int> s_makesObjects = new(StringComparer.Ordinal)
    {
        ["open openat"] = 240, // file descriptions: two for a file of an overlay, every second one
        ["epoll epoll_ctl"] = 64, // every third adds a descriptor
        ["memory mmap"] = 192, // a mapping, and what it splits
        ["memory mprotect"] = 384,
        ["memory madvise"] = 768,
        ["memory munmap"] = 736,
        ["memory brk"] = 240,
        ["memory between"] = 112, // tables of pages, offers of them
        ["faults between"] = 64,
        ["signals between"] = 16,
        ["udp recvfrom"] = 40, // the sender's address
        ["directory getdents64"] = 192, // the writer and the snapshot of a listing
    };

    private readonly string _folder = TestRun.MakeFolder("hot");

    /// <summary>The platforms.</summary>
    public static TheoryData<string> Platforms => [.. Runsc.Platforms];

    [Theory]
    [MemberData(nameof(Platforms))]
    public void HotCalls_AllocateNothing(string platform)
    {
        CommandResult build = Runsc.Execute([GuestProgram.Tool, "build", "sandboxed/hot_calls"], timeoutSeconds: 120);
        Assert.True(build.ExitCode == 0, build.Error);
        Dictionary<string, string> environment = new() { ["PLATFORM"] = platform, ["RUNSC_FLAGS"] = $"--debug --debug-log-dir={_folder} --TESTONLY-count-allocations" };
        CommandResult result = Runsc.Execute([GuestProgram.Tool, "sandbox", "sandboxed/hot_calls"], timeoutSeconds: 180, environment: environment);
        Assert.Equal((0, "made\n"), (result.ExitCode, result.Output));

        List<string> garbage = [];
        int judged = 0;
        foreach (string line in File.ReadLines(Directory.GetFiles(_folder, "*.boot.*").Single()))
        {
            const string Mark = " allocations: ";
            int start = line.IndexOf(Mark, StringComparison.Ordinal);
            if (start < 0 || Read(line[(start + Mark.Length)..]) is not { } count || count.Calls < Many)
            {
                continue;
            }

            judged++;
            bool isFine = s_makesObjects.TryGetValue(count.Name, out int allowed) ? count.Bytes <= (long)allowed * count.Calls : count.Allocating <= count.Calls / 1000;
            if (!isFine)
            {
                garbage.Add($"{count.Name}: {count.Allocating} of {count.Calls} calls allocate {count.Bytes} bytes");
            }
        }

        Assert.True(garbage.Count == 0, string.Join('\n', garbage));
        Assert.True(judged > 80, $"only {judged} kinds of calls were counted");
    }

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(_folder, recursive: true);

    // section call calls allocating bytes
    private static (string Name, long Calls, long Allocating, long Bytes)? Read(string text)
    {
        string[] parts = text.Split(' ');
        return parts.Length != 5 || parts[0] == "rest" ? null
            : ($"{parts[0]} {parts[1]}", long.Parse(parts[2], CultureInfo.InvariantCulture), long.Parse(parts[3], CultureInfo.InvariantCulture), long.Parse(parts[4], CultureInfo.InvariantCulture));
    }
}
