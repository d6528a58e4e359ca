using System.Text.Json.Nodes;

namespace Moat.Engine.Tests.Oci;

/// <summary>Hooks (config.md, "POSIX-platform Hooks").</summary>
public sealed class HookTests(BundleRoot root) : IClassFixture<BundleRoot>
{
    [Fact]
    public void AllKinds_RunInOrder_WithTheStateOnStandardInput()
    {
        using Bundle bundle = new(root, "exit 0");
        string file = Path.Combine(bundle.Folder, "hooks-ran");
        string Hook(string kind) => $$"""[{"path": "/bin/sh", "args": ["sh", "-c", "echo $KIND $(cat) >> {{file}}"], "env": ["KIND={{kind}}"]}]""";
        string[] kinds = ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"];
        string[] statuses = ["creating", "creating", "creating", "created", "running", "stopped"];
        foreach (string kind in kinds)
        {
            bundle.Set($"hooks.{kind}", Hook(kind));
        }

        bundle.Set("annotations", """{"a": "b"}""");
        bundle.Set("process.args", """["/bin/sleep", "1000"]""");
        bundle.Start();
        string pid = bundle.Read("pid");
        bundle.Must("delete", "--force", Bundle.Id);
        string[] lines = File.ReadAllLines(file);
        Assert.Equal(kinds, lines.Select(static line => line.Split(' ')[0]));
        JsonNode[] states = [.. lines.Select(static line => JsonNode.Parse(line[line.IndexOf(' ')..])!)];
        Assert.Equal(statuses, states.Select(static state => state["status"]!.ToString()));
        Assert.All(states, state => Assert.Equal((Bundle.Id, bundle.Folder, "b"), (state["id"]!.ToString(), state["bundle"]!.ToString(), state["annotations"]!["a"]!.ToString())));
        Assert.All(states[..^1], state => Assert.Equal(pid, state["pid"]!.ToString()));
    }

    [Theory]
    [InlineData("prestart")]
    [InlineData("createRuntime")]
    [InlineData("createContainer")]
    public void FailureDuringCreate_IsOneLine_AndLeavesNothing(string kind)
    {
        using Bundle bundle = new(root, "exit 0");
        bundle.Set($"hooks.{kind}", """[{"path": "/bin/sh", "args": ["sh", "-c", "echo because >&2; exit 3"]}]""");
        CommandResult result = bundle.Run();
        Assert.Equal((128, $"runsc: {kind} hook 0 (/bin/sh): exit status 3: because\n"), (result.ExitCode, result.Error));
        bundle.AssertNothingLeft();
    }

    [Fact]
    public void FailureDuringStart_StopsTheContainer()
    {
        using Bundle bundle = new(root, "exec sleep 1000");
        bundle.Set("hooks.startContainer", """[{"path": "/bin/false"}]""");
        Assert.Equal(0, bundle.Create().ExitCode);
        CommandResult result = bundle.Command("start", Bundle.Id);
        Assert.Equal((128, "runsc: startContainer hook 0 (/bin/false): exit status 1\n"), (result.ExitCode, result.Error));
        Assert.Equal("stopped", bundle.Read("status"));
        bundle.Must("delete", Bundle.Id);
        bundle.AssertNothingLeft();
    }

    [Theory]
    [InlineData("poststart")]
    [InlineData("poststop")]
    public void FailureAfterwards_IsAWarning(string kind)
    {
        using Bundle bundle = new(root, "echo ran");
        bundle.Set($"hooks.{kind}", """[{"path": "/bin/false"}]""");
        CommandResult result = bundle.Run();
        Assert.Equal((0, "ran\n"), (result.ExitCode, result.Output));
        Assert.Contains($"{kind} hook 0 (/bin/false): exit status 1", bundle.Log, StringComparison.Ordinal);
        bundle.AssertNothingLeft();
    }

    [Fact]
    public void HookThatTakesTooLong_IsKilled()
    {
        using Bundle bundle = new(root, "exit 0");
        bundle.Set("hooks.createRuntime", """[{"path": "/bin/sleep", "args": ["sleep", "1000"], "timeout": 1}]""");
        CommandResult result = bundle.Run();
        Assert.Equal((128, "runsc: createRuntime hook 0 (/bin/sleep): did not end within 1 s\n"), (result.ExitCode, result.Error));
        bundle.AssertNothingLeft();
    }
}
