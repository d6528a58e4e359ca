using System.Collections.Concurrent;
using Moat.TestSupport;

namespace Moat.Guest.Tests;

/// <summary>A guest program: one C file of tests/Guest, built, and run once on each side.</summary>
internal sealed class GuestProgram
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(600);

    private readonly Lazy<ProgramRun> _build;
    private readonly Lazy<ProgramRun> _native;
    private readonly ConcurrentDictionary<string, Lazy<ProgramRun>> _sandboxed = new();

    private GuestProgram(string family)
    {
        Family = family;
        _build = new(() => ProgramRun.Of([Tool, "build", family], s_limit));
        _native = new(() => ProgramRun.Of([Tool, "native", family], s_limit));
    }

    /// <summary>tools/guest, which builds and runs programs.</summary>
    public static string Tool { get; } = Path.Combine(Runsc.Repository, "tools", "guest");

    /// <summary>All programs by their family. The variable GUEST chooses some: names with commas between them.</summary>
    public static IReadOnlyDictionary<string, GuestProgram> All { get; } = Find();

    /// <summary>The name of the file and of the family.</summary>
    public string Family { get; }

    /// <summary>Whether it compiles and links.</summary>
    public bool Builds => Build.Ending == "exit status 0";

    /// <summary>The run of the compiler.</summary>
    public ProgramRun Build => _build.Value;

    /// <summary>The run on Linux.</summary>
    public ProgramRun Native => _native.Value;

    /// <summary>The run in the sandbox, on one platform.</summary>
    public ProgramRun Sandboxed(string platform) => _sandboxed.GetOrAdd(
        platform,
        static (name, family) => new(() => ProgramRun.Of(["env", $"PLATFORM={name}", Tool, "sandbox", family], s_limit)),
        Family).Value;

    private static SortedDictionary<string, GuestProgram> Find()
    {
        string[]? chosen = Environment.GetEnvironmentVariable("GUEST")?.Split(',');
        SortedDictionary<string, GuestProgram> programs = new(StringComparer.Ordinal);
        foreach (string file in Directory.GetFiles(Path.Combine(Runsc.Repository, "tests", "Guest"), "*.c"))
        {
            string family = Path.GetFileNameWithoutExtension(file);
            if (chosen is null || chosen.Contains(family))
            {
                programs.Add(family, new GuestProgram(family));
            }
        }

        return programs;
    }
}
