using Moat.Engine.Tests.Oci;

namespace Moat.Engine.Tests.Matrix;

/// <summary>Every option of the stack against Linux's, in both roles, over IPv4 and IPv6: cases that hold between two Linux hosts hold when the sandbox is one of them.</summary>
public sealed class MatrixTests(MatrixProgram program) : IClassFixture<MatrixProgram>
{
    private const int Seconds = 240;

    // The long version takes the whole product of what transfers combine.
    private static readonly bool s_isLong = Environment.GetEnvironmentVariable("MOAT_STRESS") == "1";

    [Theory]
    [InlineData(4)]
    [InlineData(6)]
    public void LinuxAgainstLinux(int family)
    {
        using MatrixNetwork network = new(program.Path, rightIsTaken: false);
        Play(network, family, leftIsActive: true, round: 0, [.. network.OnRight, .. Environments(), program.Path]);
    }

    [Theory]
    [InlineData(4)]
    [InlineData(6)]
    public void SandboxAgainstLinux(int family)
    {
        using MatrixNetwork network = new(program.Path, rightIsTaken: true);
        using Bundle bundle = new(program.Root, "exec sleep 1000");
        bundle.Set("linux.namespaces", $$"""[{"type": "pid"}, {"type": "mount"}, {"type": "ipc"}, {"type": "uts"}, {"type": "network", "path": "{{network.RightPath}}"}]""");
        foreach (string kind in (string[])["effective", "permitted", "bounding"])
        {
            bundle.Set($"process.capabilities.{kind}", """["CAP_NET_RAW", "CAP_NET_BIND_SERVICE", "CAP_NET_ADMIN"]""");
        }

        bundle.Add("mounts", $$"""{"destination": "/matrix", "type": "bind", "source": "{{program.Path}}", "options": ["rbind", "ro"]}""");
        bundle.Start();
        string[] right = [Runsc.Executable, "--root", bundle.State, "exec", "--env", Environments()[1], Bundle.Id, "/matrix"];
        Play(network, family, leftIsActive: true, round: 0, right);
        Play(network, family, leftIsActive: false, round: 1, right);
    }

    private void Play(MatrixNetwork network, int family, bool leftIsActive, int round, string[] rightCommand)
    {
        string[] left = [.. network.OnLeft, .. Environments(), program.Path, .. MatrixNetwork.EndArguments(leftIsActive, family, isRight: false, round)];
        string[] right = [.. rightCommand, .. MatrixNetwork.EndArguments(!leftIsActive, family, isRight: true, round)];
        Task<CommandResult> leftEnd = Task.Run(() => Runsc.Execute(left, timeoutSeconds: s_isLong ? 20 * Seconds : Seconds));
        CommandResult rightEnd = Runsc.Execute(right, timeoutSeconds: s_isLong ? 20 * Seconds : Seconds);
        string[] results = [.. Lines(leftEnd.Result), .. Lines(rightEnd)];
        Assert.True(results.Length > 90, $"{leftEnd.Result.Error}{rightEnd.Error}");
        Assert.Equal("", string.Join('\n', results.Where(static line => !line.EndsWith(" ok", StringComparison.Ordinal))));
    }

    private static string[] Environments() => ["env", s_isLong ? "MATRIX=all" : "MATRIX=pairs"];

    private static string[] Lines(CommandResult result) => result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
