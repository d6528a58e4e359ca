using System.Xml.Linq;

namespace Moat.Architecture.Tests;

/// <summary>Holds the project files against the arrows of docs/architecture.md.</summary>
public sealed class ProjectArrowTests
{
    private static readonly Dictionary<string, string[]> s_arrows = new()
    {
        ["Moat.Linux"] = [],
        ["Moat.Collections"] = [],
        ["Moat.Host"] = ["Moat.Linux"],
        ["Moat.NineP"] = ["Moat.Linux"],
        ["Moat.Oci"] = ["Moat.Linux"],
        ["Moat.Netstack"] = ["Moat.Collections"],
        ["Moat.Control"] = ["Moat.Linux", "Moat.Host", "Moat.Oci"],
        ["Moat.Platform"] = ["Moat.Linux", "Moat.Host"],
        ["Moat.Platform.Ptrace"] = ["Moat.Linux", "Moat.Host", "Moat.Platform"],
        ["Moat.Platform.Systrap"] = ["Moat.Linux", "Moat.Host", "Moat.Platform"],
        ["Moat.Kernel"] = ["Moat.Linux", "Moat.Collections", "Moat.Platform"],
        ["Moat.Filesystems"] = ["Moat.Linux", "Moat.Collections", "Moat.Platform", "Moat.Kernel", "Moat.NineP", "Moat.Host"],
        ["Moat.Sockets"] = ["Moat.Linux", "Moat.Collections", "Moat.Platform", "Moat.Kernel", "Moat.Netstack"],
        ["Moat.Syscalls"] = ["Moat.Linux", "Moat.Collections", "Moat.Platform", "Moat.Kernel", "Moat.Filesystems", "Moat.Sockets"],
        ["Moat.Sentry"] =
        [
            "Moat.Linux", "Moat.Collections", "Moat.Host", "Moat.NineP", "Moat.Control", "Moat.Oci", "Moat.Platform", "Moat.Platform.Ptrace", "Moat.Platform.Systrap", "Moat.Kernel", "Moat.Filesystems",
            "Moat.Netstack", "Moat.Sockets", "Moat.Syscalls",
        ],
        ["Moat.Gofer"] = ["Moat.Linux", "Moat.Host", "Moat.NineP", "Moat.Control"],
        ["Moat.Runtime"] = ["Moat.Linux", "Moat.Host", "Moat.Control", "Moat.Oci"],
        ["Runsc"] = ["Moat.Linux", "Moat.Host", "Moat.Control", "Moat.Oci", "Moat.Runtime", "Moat.Sentry", "Moat.Gofer"],
    };

    private static readonly string[] s_unsafe = ["Moat.Host", "Moat.Platform", "Moat.Platform.Ptrace", "Moat.Platform.Systrap"];

    public static TheoryData<string> Projects => [.. Directory.GetDirectories(Path.Combine(Root, "src")).Select(static folder => Path.GetFileName(folder)!)];

    private static string Root
    {
        get
        {
            DirectoryInfo? folder = new(AppContext.BaseDirectory);
            while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Moat.slnx")))
            {
                folder = folder.Parent;
            }

            return folder?.FullName ?? throw new InvalidOperationException("no Moat.slnx above the tests");
        }
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void Project_ReferencesOnlyWhatTheArchitectureAllows(string project)
    {
        Assert.True(s_arrows.ContainsKey(project), $"{project} is not in the architecture");
        IEnumerable<string> references = Load(project).Descendants("ProjectReference").Select(static reference => Path.GetFileNameWithoutExtension((string)reference.Attribute("Include")!));
        Assert.Empty(references.Except(s_arrows[project]));
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void Project_MayBeUnsafeOnlyWhereTheHostIs(string project)
    {
        bool allows = Load(project).Descendants("AllowUnsafeBlocks").Any(static element => element.Value == "true");
        Assert.Equal(s_unsafe.Contains(project), allows);
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void Project_CallsTheHostOnlyInMoatHost(string project)
    {
        if (project == "Moat.Host")
        {
            return;
        }

        foreach (string file in Directory.GetFiles(Path.Combine(Root, "src", project), "*.cs", SearchOption.AllDirectories))
        {
            string text = File.ReadAllText(file);
            Assert.False(text.Contains("[DllImport", StringComparison.Ordinal) || text.Contains("[LibraryImport", StringComparison.Ordinal), $"{file} has a P/Invoke");
        }
    }

    private static XDocument Load(string project) => XDocument.Load(Path.Combine(Root, "src", project, $"{project}.csproj"));
}
