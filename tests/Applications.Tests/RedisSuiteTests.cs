namespace Moat.Applications.Tests;

/// <summary>What of Redis' own tests is about its network: clients and their buffers, protocol, publishing, replication, failover, clusters. What is well under runc is well in the sandbox.</summary>
public sealed class RedisSuiteTests
{
    private const int NativeSeconds = 600;
    private const int SandboxSeconds = 900;

    public static TheoryData<string> Units =>
    [
        "unit/networking", "unit/protocol", "unit/limits", "unit/querybuf", "unit/pendingquerybuf", "unit/obuf-limits", "unit/client-eviction", "unit/replybufsize", "unit/pubsub", "unit/pubsubshard",
        "unit/tracking", "unit/pause", "unit/quit", "unit/wait", "unit/auth", "unit/introspection", "unit/multi", "unit/cluster", "unit/cluster/links", "unit/cluster/misc",
        "integration/block-repl", "integration/replication", "integration/replication-2", "integration/replication-3", "integration/replication-4", "integration/replication-psync",
        "integration/replication-buffer", "integration/psync2", "integration/psync2-reg", "integration/psync2-pingoff", "integration/psync2-master-restart", "integration/failover", "integration/redis-cli",
        "integration/redis-benchmark", "integration/shutdown",
    ];

    [Theory]
    [Trait("speed", "slow")]
    [MemberData(nameof(Units))]
    public void Unit_PassesWhatPassesOnLinux(string unit)
    {
        CommandResult fetched = Runsc.Execute([Path.Combine(Runsc.Repository, "tools/redis-suite")], timeoutSeconds: 120);
        Assert.True(fetched.ExitCode == 0, fetched.Error);
        string script = File.ReadAllText(Path.Combine(DebianRoot.Share, "Redis/unit.sh"));
        string[] command = ["/bin/sh", "-c", script, "unit.sh", unit];
        CommandResult native = DebianRoot.ExecuteWith(fetched.Output.Trim(), "runc", NativeSeconds, hasAllCapabilities: false, command);
        string[] expected = [.. native.Output.Split('\n').Where(static line => line.StartsWith("ok: ", StringComparison.Ordinal))];
        Assert.True(expected.Length > 0, $"{unit} does not run on Linux: {native}");
        CommandResult sandboxed = DebianRoot.ExecuteWith(fetched.Output.Trim(), "runsc", SandboxSeconds, hasAllCapabilities: false, command);
        string[] missing = [.. expected.Except(sandboxed.Output.Split('\n'))];
        bool isWell = missing.Length == 0 && (native.ExitCode != 0 || sandboxed.ExitCode == 0);
        Assert.True(isWell, $"{missing.Length} of {expected.Length} tests of {unit} are not well:\n{string.Join('\n', missing)}\n{sandboxed.Error}");
    }
}
