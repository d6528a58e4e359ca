namespace Moat.Sandbox.Tests;

/// <summary><c>--network=host</c>: sockets of the sandbox are those of the namespace that the command was given in; here one that each test makes for itself.</summary>
public sealed class HostNetworkTests : IDisposable
{
    private readonly string _folder = TestRun.MakeFolder("hostnet");

    public HostNetworkTests() => File.WriteAllText(Path.Combine(_folder, "index.html"), "a page\n");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Sandbox_ReachesAServerOfTheHost() =>
        Assert.Equal("a page\na page\n", InNamespace($"""
            busybox httpd -f -p 8080 -h {_folder} & server=$!
            {Until("busybox wget -q -O - http://127.0.0.1:8080/")}
            {Sandboxed} busybox wget -q -O - http://127.0.0.1:8080/
            kill $server
            """));

    [Fact]
    public void Host_ReachesAServerOfTheSandbox() =>
        Assert.Equal("a page\na page\n", InNamespace($"""
            {Sandboxed} sh -c 'echo a page > /tmp/index.html; exec busybox httpd -f -p 8080 -h /tmp' & server=$!
            {Until("busybox wget -q -O - http://127.0.0.1:8080/")}
            busybox wget -q -O - http://127.0.0.1:8080/
            kill $server; wait $server
            """));

    [Fact]
    public void InterfacesOfTheHost_AreShown() =>
        Assert.Equal("    inet 198.51.100.7/24 scope global left\ndefault via 198.51.100.1 dev left\n", InNamespace($"""
            ip link add left type veth peer name right
            ip addr add 198.51.100.7/24 dev left
            ip link set right up && ip link set left up
            ip route add default via 198.51.100.1
            {Sandboxed} sh -c "busybox ip addr show dev left | grep 'inet '; busybox ip route | grep -o 'default via 198.51.100.1 dev left'"
            """));

    [Fact]
    public void RawSockets_AreRefused() =>
        Assert.Equal("ping: permission denied (are you root?)\n", InNamespace($"{Sandboxed} busybox ping -c 1 127.0.0.1 2>&1 > /dev/null"));

    [Theory]
    [InlineData("tcp")]
    [InlineData("udp")]
    public void GuestProgram_BehavesAsOnLinux(string family)
    {
        // Through tools/guest the cases run natively first, then in the sandbox.
        CommandResult result = Runsc.Execute(["unshare", "--net", "/bin/sh", "-c", $"ip link set lo up; RUNSC_FLAGS=--network=host exec {Runsc.Repository}/tools/guest {family}"], timeoutSeconds: 120);
        Assert.True(result.ExitCode == 0, result.Output + result.Error);
    }

    private static string Sandboxed => $"{Runsc.Executable} --network=host do";

    private static string Until(string command) => $"i=0; until {command} 2> /dev/null; do i=$((i+1)); [ $i -lt 200 ] || exit 1; sleep 0.05; done";

    private static string InNamespace(string script)
    {
        CommandResult result = Runsc.Execute(["unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "/bin/sh", "-c", $"ip link set lo up\n{script}"], timeoutSeconds: 60);
        return result.Output + result.Error;
    }
}
