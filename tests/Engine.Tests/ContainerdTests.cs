namespace Moat.Engine.Tests;

/// <summary>containerd without Docker: its client, and its shim for runc with our executable.</summary>
[Collection(DockerDaemon.Collection)]
public sealed class ContainerdTests(DockerDaemon daemon) : IDisposable
{
    private const string Image = "docker.io/library/busybox:latest";

    public void Dispose() => Control("images", "rm", Image);

    [Fact]
    public void Run_WithTheShimForRunc_Works()
    {
        string archive = Path.Combine(daemon.Folder, "busybox.tar");
        daemon.Must("save", "-o", archive, "busybox");
        Assert.Equal(0, Control("images", "import", archive).ExitCode);
        CommandResult result = Control(
            "run", "--rm", "--runtime", "io.containerd.runc.v2", "--runc-binary", Runsc.Executable, "--env", "A=here", Image, "c1", "/bin/sh", "-c", "uname -r; echo $A; exit 4");
        Assert.Equal(4, result.ExitCode);
        Assert.EndsWith("-moat\nhere\n", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("c1", Control("containers", "ls", "-q").Output, StringComparison.Ordinal);
    }

    private CommandResult Control(params string[] arguments) => Runsc.Execute(["ctr", "--address", daemon.ContainerdSocket, "--namespace", daemon.Name, .. arguments]);
}
