using System.Text.Json.Nodes;

namespace Moat.Engine.Tests.Oci;

/// <summary>Commands that have no container.</summary>
public sealed class ToolTests : IDisposable
{
    private readonly string _config = Path.Combine(TestRun.MakeFolder("install"), "docker", "daemon.json");

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(Path.GetDirectoryName(_config))!, recursive: true);

    [Fact]
    public void Install_KeepsWhatIsThere_AndABackup()
    {
        const string Before = """{"data-root": "/x", "runtimes": {"other": {"path": "/o"}}}""";
        Directory.CreateDirectory(Path.GetDirectoryName(_config)!);
        File.WriteAllText(_config, Before);
        Run(0, "install", "--config_file", _config, "--", "--strace");
        JsonNode after = JsonNode.Parse(File.ReadAllText(_config))!;
        Assert.Equal(("/x", "/o"), (after["data-root"]!.ToString(), after["runtimes"]!["other"]!["path"]!.ToString()));
        Assert.Equal(Runsc.Binary, after["runtimes"]!["runsc"]!["path"]!.ToString());
        Assert.Equal("--strace", Assert.Single(after["runtimes"]!["runsc"]!["runtimeArgs"]!.AsArray())!.ToString());
        Assert.Equal(Before, File.ReadAllText(_config + ".bak"));

        Run(0, "uninstall", "--config_file", _config);
        after = JsonNode.Parse(File.ReadAllText(_config))!;
        Assert.Null(after["runtimes"]!["runsc"]);
        Assert.NotNull(after["runtimes"]!["other"]);
    }

    [Fact]
    public void Install_MakesTheFile()
    {
        Run(0, "install", "--config_file", _config, "--runtime", "moat");
        Assert.Equal(Runsc.Binary, JsonNode.Parse(File.ReadAllText(_config))!["runtimes"]!["moat"]!["path"]!.ToString());
        Assert.False(File.Exists(_config + ".bak"));
    }

    [Fact]
    public void Install_LeavesAFileAloneThatItDoesNotUnderstand()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_config)!);
        File.WriteAllText(_config, "{ not json");
        CommandResult result = Run(128, "install", "--config_file", _config);
        Assert.Contains("is not valid JSON", result.Error, StringComparison.Ordinal);
        Assert.Equal("{ not json", File.ReadAllText(_config));
    }

    [Fact]
    public void Features_IsWhatTheSpecificationSays()
    {
        JsonNode features = JsonNode.Parse(Run(0, "features").Output)!;
        Assert.Equal(("1.0.0", "1.2.0"), (features["ociVersionMin"]!.ToString(), features["ociVersionMax"]!.ToString()));
        Assert.Equal(6, features["hooks"]!.AsArray().Count);
    }

    [Fact]
    public void Version_NamesTheSpecification()
    {
        Assert.Matches("^runsc version [0-9.]+\nspec: 1[.]2[.]0\n$", Run(0, "--version").Output);
        Assert.Contains("create", Run(0, "help").Output, StringComparison.Ordinal);
        Assert.Contains("-overlay2", Run(0, "flags").Output, StringComparison.Ordinal);
    }

    private static CommandResult Run(int status, params string[] arguments)
    {
        CommandResult result = Runsc.Execute([Runsc.Binary, .. arguments]);
        Assert.True(result.ExitCode == status, $"{result.ExitCode}: {result.Error}");
        return result;
    }
}
