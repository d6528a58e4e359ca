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
    public void Install_SaysWhatItChanges_AndKeepsTheFirstBackup()
    {
        const string Before = """{"debug": false}""";
        Directory.CreateDirectory(Path.GetDirectoryName(_config)!);
        File.WriteAllText(_config, Before);
        Assert.Contains($"Added runtime runsc to {_config}, with path {Runsc.Binary} and arguments --platform=ptrace --strace.", Run(0, "--platform", "ptrace", "install", "--config_file", _config, "--", "--strace").Output, StringComparison.Ordinal);
        string installed = File.ReadAllText(_config);
        Assert.Contains("Nothing was changed", Run(0, "--platform=ptrace", "install", "--config_file", _config, "--", "--strace").Output, StringComparison.Ordinal);
        Assert.Equal(installed, File.ReadAllText(_config));
        string changed = Run(0, "install", "--config_file", _config).Output;
        Assert.Contains($"Changed runtime runsc in {_config} from path {Runsc.Binary} and arguments --platform=ptrace --strace to path {Runsc.Binary}.", changed, StringComparison.Ordinal);
        Assert.Null(JsonNode.Parse(File.ReadAllText(_config))!["runtimes"]!["runsc"]!["runtimeArgs"]);
        Assert.Equal(Before, File.ReadAllText(_config + ".bak"));
    }

    [Theory]
    [InlineData("install: flag -platform: \"kvm\" is not supported", "--platform=kvm")]
    [InlineData("install: flag provided but not defined: -no-such", "--no-such")]
    [InlineData("flag -overlay2: \"x\" is not supported", "--overlay2=x")]
    [InlineData("install: \"run\" is no flag", "--strace", "run")]
    public void Install_TakesNoFlagsThatAContainerCouldNotStartWith(string message, params string[] arguments)
    {
        Assert.Contains(message, Run(128, ["install", "--config_file", _config, "--", .. arguments]).Error, StringComparison.Ordinal);
        Assert.False(File.Exists(_config));
    }

    [Theory]
    [InlineData("flag -platform: \"kvm\" is not supported (supported: ptrace, systrap)", "--platform=kvm")]
    [InlineData("flag provided but not defined: -no-such", "--no-such")]
    [InlineData("flag provided but not defined: -no-such", "--no-such", "value")]
    public void FaultOfAFlag_IsInTheLogThatAFlagBehindItNames(string message, params string[] arguments)
    {
        string log = Path.Combine(Path.GetDirectoryName(Path.GetDirectoryName(_config))!, "log");
        Run(128, [.. arguments, "--root", "/no/such", "--log", log, "--log-format", "json", "create", "--bundle", "/no/such", "id"]);
        JsonNode line = JsonNode.Parse(Assert.Single(File.ReadAllLines(log)))!;
        Assert.Equal(("error", message), (line["level"]!.ToString(), line["msg"]!.ToString()));
    }

    [Theory]
    [InlineData("cannot make /proc/no-such: no such file or directory", "--root=/proc/no-such", "do", "true")]
    [InlineData("cannot write /proc/1/x: no such file or directory", "install", "--config_file=/proc/1/x")]
    [InlineData("cannot write /no/such/config.json: no such file or directory", "spec", "--bundle=/no/such")]
    [InlineData("debug log: cannot make /proc/no-such: no such file or directory", "--debug-log-dir=/proc/no-such", "do", "true")]
    [InlineData("do: flag -root: /no/such is not a directory", "do", "--root=/no/such", "true")]
    [InlineData("checkpoint: containers cannot be saved and restored: this command is not implemented", "checkpoint", "--image-path=/x", "id")]
    public void Fault_IsSaidInWords(string message, params string[] arguments) => Assert.Equal($"runsc: {message}\n", Run(128, arguments).Error);

    [Fact]
    public void Command_AskedForHelp_SaysWhatItTakes()
    {
        Assert.Equal(Run(0, "help", "do").Output, Run(0, "do", "--help").Output);
        Assert.Contains("  -detach, -d\n", Run(0, "exec", "-h").Output, StringComparison.Ordinal);
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
