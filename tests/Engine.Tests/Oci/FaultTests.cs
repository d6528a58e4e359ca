using System.Text.Json.Nodes;

namespace Moat.Engine.Tests.Oci;

/// <summary>Whatever is wrong is one line on standard error and one in the log, exit status 128, and nothing left behind.</summary>
public sealed class FaultTests(BundleRoot root) : IClassFixture<BundleRoot>
{
    [Theory]
    [InlineData("ociVersion", "\"2.0.0\"", "ociVersion: version 2.0.0 is not supported")]
    [InlineData("ociVersion", null, "ociVersion: must not be empty")]
    [InlineData("root", null, "root: must be set")]
    [InlineData("process", null, "process: must be set")]
    [InlineData("process.args", "[]", "process.args: must not be empty")]
    [InlineData("process.cwd", "\"relative\"", "process.cwd: must be an absolute path")]
    [InlineData("process.rlimits", "[{\"type\": \"RLIMIT_MAGIC\", \"soft\": 1, \"hard\": 1}]", "process.rlimits[0].type: \"RLIMIT_MAGIC\" is not a resource limit")]
    [InlineData("process.capabilities", "{\"effective\": [\"KILL\"]}", "process.capabilities.effective[0]: \"KILL\" is not a capability")]
    [InlineData("mounts", "[{\"destination\": \"/x\", \"type\": \"ext4\", \"source\": \"/dev/sda\"}]", "mounts[0].type: \"ext4\" is not supported")]
    [InlineData("mounts", "[{\"destination\": \"/x\", \"type\": \"bind\", \"source\": \"/no/such\"}]", "mounts[0].source: /no/such: no such file or directory")]
    [InlineData("root.path", "\"/no/such\"", "root.path: /no/such: no such file or directory")]
    [InlineData("linux.namespaces", "[{\"type\": \"magic\"}]", "linux.namespaces[0].type: \"magic\" is not a namespace type")]
    [InlineData("linux.uidMappings", "[{\"containerID\": 0, \"hostID\": 1000, \"size\": 1}]", "linux.uidMappings: user id mappings are not supported yet")]
    [InlineData("linux.sysctl", "{\"kernel.no_such\": \"1\"}", "linux.sysctl: kernel.no_such: a sandbox does not have it")]
    [InlineData("linux.cgroupsPath", "\"../up\"", "linux.cgroupsPath: must be a path without \"..\"")]
    [InlineData("hooks", "{\"prestart\": [{\"path\": \"relative\"}]}", "hooks.prestart[0].path: must be an absolute path")]
    [InlineData("linux.resources", "{\"memory\": {\"limit\": \"much\"}}", "linux.resources.memory.limit: does not have the type that the specification gives it (line 1, column ")]
    public void InvalidConfiguration_NamesTheMember(string member, string? json, string fault)
    {
        using Bundle bundle = new(root, "exit 0");
        AssertFault(bundle, bundle.Set(member, json).Run(), $"config.json: {fault}");
    }

    [Fact]
    public void HostsNetwork_IsRefused()
    {
        using Bundle bundle = new(root, "exit 0");
        bundle.Set("linux.namespaces", """[{"type": "pid"}, {"type": "mount"}, {"type": "ipc"}, {"type": "uts"}]""");
        AssertFault(bundle, bundle.Run(), "config.json: linux.namespaces: network: the host's own network cannot be taken over: use --network=host or --network=none");
        Assert.Equal(0, bundle.Command("--network=none", "run", "--bundle", bundle.Folder, Bundle.Id).ExitCode);
    }

    [Fact]
    public void NetworkThatAHookMakes_IsTheSandboxs()
    {
        using Bundle bundle = new(root, "ip addr show dev eth0 | grep -o 'inet .*'; ip link | grep -c eth0");
        const string Script = "pid=$(grep -o 'pid[^,]*' | grep -o '[0-9]*'); nsenter --net=/proc/$pid/ns/net sh -c 'ip link add eth0 type veth peer name other && ip addr add 198.51.100.7/24 dev eth0 && ip link set eth0 up'";
        bundle.Set("hooks.prestart", $$"""[{"path": "/bin/sh", "args": ["sh", "-c", "{{Script}}"], "env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]}]""");
        CommandResult result = bundle.Run();
        Assert.Equal(("inet 198.51.100.7/24 scope global eth0\n1\n", ""), (result.Output, result.Error));
        Assert.Equal("0\n", bundle.Command("--network=none", "run", "--bundle", bundle.Folder, Bundle.Id).Output);
    }

    [Fact]
    public void MalformedConfiguration_NamesTheLine()
    {
        using Bundle bundle = new(root, "exit 0");
        File.WriteAllText(bundle.ConfigFile, "{\n  \"ociVersion\": \"1.0.0\",\n  broken\n}");
        AssertFault(bundle, bundle.Run(), "config.json: is not valid JSON (line 3, column 3)");
    }

    [Fact]
    public void MissingBundle_IsNamed()
    {
        using Bundle bundle = new(root, "exit 0");
        AssertFault(bundle, bundle.Command("create", "--bundle", "/no/such/bundle", Bundle.Id), "/no/such/bundle/config.json: no such file or directory");
    }

    [Fact]
    public void MissingProgram_Is127()
    {
        using Bundle bundle = new(root, "exit 0");
        bundle.Set("process.args", "[\"nosuch\"]");
        AssertFault(bundle, bundle.Run(), "exec: \"nosuch\": executable file not found in $PATH", 127);
    }

    [Fact]
    public void NameInUse_IsRefused_AndTheContainerLivesOn()
    {
        using Bundle bundle = new(root, "exec sleep 1000");
        bundle.Start();
        CommandResult result = bundle.Command("create", "--bundle", bundle.Folder, Bundle.Id);
        Assert.Equal((128, "runsc: container with id \"c\" already exists\n"), (result.ExitCode, result.Error));
        Assert.Equal("running", bundle.Read("status"));
    }

    [Theory]
    [InlineData("flag provided but not defined: -no-such", "--no-such", "list")]
    [InlineData("list: flag provided but not defined: -no-such", "list", "--no-such")]
    [InlineData("unknown command \"nothing\"", "nothing")]
    [InlineData("container \"c\" does not exist", "state", "c")]
    [InlineData("container \"c\" does not exist", "start", "c")]
    [InlineData("container \"c\" does not exist", "delete", "c")]
    [InlineData("container \"c\" does not exist", "kill", "c", "9")]
    [InlineData("container \"c\" does not exist", "exec", "c", "true")]
    [InlineData("invalid container ID \"a/b\": only letters, digits and _ + - . are allowed", "state", "a/b")]
    [InlineData("state: usage: runsc state <id>", "state")]
    [InlineData("flag -platform: \"magic\" is not supported (supported: ptrace, systrap)", "--platform=magic", "list")]
    public void WrongCommandLine_IsOneLine(string message, params string[] arguments)
    {
        using Bundle bundle = new(root, "exit 0");
        AssertFault(bundle, bundle.Command(arguments), message);
    }

    [Fact]
    public void StartTwice_IsRefused()
    {
        using Bundle bundle = new(root, "exec sleep 1000");
        bundle.Start();
        CommandResult result = bundle.Command("start", Bundle.Id);
        Assert.Equal((128, "runsc: cannot start a container in the running state\n"), (result.ExitCode, result.Error));
    }

    [Fact]
    public void LimitThatTheHostRefuses_IsNamed_AndLeavesNoCgroup()
    {
        using Bundle bundle = new(root, "exit 0");
        bundle.Set("linux.cgroupsPath", $"\"/{Path.GetFileName(bundle.Folder)}\"").Set("linux.resources", """{"cpu": {"cpus": "4000-4001"}}""");
        CommandResult result = bundle.Run();
        Assert.Equal(128, result.ExitCode);
        Assert.StartsWith("runsc: cannot set cpuset.cpus of cgroup /", result.Error, StringComparison.Ordinal);
        bundle.AssertNothingLeft();
    }

    private static void AssertFault(Bundle bundle, CommandResult result, string message, int status = 128)
    {
        Assert.Equal(status, result.ExitCode);
        Assert.StartsWith($"runsc: {message}", result.Error, StringComparison.Ordinal);
        Assert.Equal(1, result.Error.Count(static c => c == '\n'));
        JsonNode line = JsonNode.Parse(Assert.Single(bundle.Log.Split('\n', StringSplitOptions.RemoveEmptyEntries)))!;
        Assert.Equal("error", line["level"]!.ToString());
        Assert.StartsWith(message, line["msg"]!.ToString(), StringComparison.Ordinal);
        Assert.NotNull(line["time"]);
        bundle.AssertNothingLeft();
        File.Delete(Path.Combine(bundle.Folder, "log"));
    }
}
