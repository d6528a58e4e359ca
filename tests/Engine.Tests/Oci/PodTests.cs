using System.Text.Json.Nodes;

namespace Moat.Engine.Tests.Oci;

/// <summary>Several containers in one sandbox: what they share, what they do not, and how each lives and ends.</summary>
public sealed class PodTests(BundleRoot root) : IClassFixture<BundleRoot>
{
    private const string Idle = "exec sleep 1000";
    private const string Other = "other";

    [Fact]
    public void Container_OfAPod_GoesThroughItsLifeAndLeavesTheSandboxAlone()
    {
        using Bundle pod = new(root, Idle);
        pod.Start();
        using Bundle bundle = new(root, "trap 'exit 5' TERM; echo up; while :; do sleep 0.05; done", pod, Other);
        string pidFile = Path.Combine(bundle.Folder, "pid");
        Assert.True(bundle.Create("--pid-file", pidFile).ExitCode == 0, bundle.Log);
        Assert.Equal("created", bundle.Read("status"));
        Assert.Equal(File.ReadAllText(pidFile), bundle.Read("pid"));
        Assert.NotEqual(pod.Read("pid"), bundle.Read("pid"));
        Assert.Equal("", bundle.Output);

        bundle.Must("start", Other);
        Patience.Await(() => bundle.Output == "up\n", "output");
        bundle.Must("pause", Other);
        Assert.Equal(("paused", "running"), (bundle.Read("status"), pod.Read("status")));
        Assert.Equal("still\n", pod.Must("exec", Bundle.Id, "echo", "still"));
        bundle.Must("resume", Other);
        Assert.Equal("running", bundle.Read("status"));
        bundle.Must("kill", Other, "TERM");
        Assert.Equal("""{"id":"other","exitStatus":5}""", bundle.Must("wait", Other).Trim());
        bundle.Await("stopped");
        Assert.Equal("""{"id":"other","exitStatus":5}""", bundle.Must("wait", Other).Trim());
        bundle.Must("delete", Other);
        Assert.Equal(128, bundle.Command("state", Other).ExitCode);
        Assert.Equal("still\n", pod.Must("exec", Bundle.Id, "echo", "still"));
        pod.Must("delete", "--force", Bundle.Id);
        pod.AssertNothingLeft();
        bundle.AssertNothingLeft();
    }

    [Fact]
    public void Containers_HaveProcessesHostNamesAndFilesOfTheirOwn()
    {
        using Bundle pod = new(root, "echo mine > /tmp/mine; " + Idle);
        pod.Set("hostname", "\"first\"").Start();
        using Bundle bundle = new(root, "echo theirs > /tmp/theirs; " + Idle, pod, Other);
        bundle.Set("hostname", "\"second\"").Start();
        Patience.Await(() => pod.Command("exec", Bundle.Id, "test", "-s", "/tmp/mine").ExitCode == 0, "a file of the first container");
        Patience.Await(() => pod.Command("exec", Other, "test", "-s", "/tmp/theirs").ExitCode == 0, "a file of the second container");

        const string Look = "hostname; ls /tmp; for p in /proc/[0-9]*; do ls $p/root/tmp; done | sort -u; readlink /proc/1/exe; cat /proc/1/comm";
        Assert.Equal("first\nmine\nmine\n/bin/busybox\nsleep\n", pod.Must("exec", Bundle.Id, "/bin/sh", "-c", Look));
        Assert.Equal("second\ntheirs\ntheirs\n/bin/busybox\nsleep\n", pod.Must("exec", Other, "/bin/sh", "-c", Look));

        // Nobody can be seen, signalled or counted from the other side.
        Assert.Equal("1\n", pod.Must("exec", Other, "/bin/sh", "-c", "grep -l sleep /proc/[0-9]*/comm | wc -l"));
        Assert.Equal("1\n", pod.Must("exec", Bundle.Id, "/bin/sh", "-c", "grep -l sleep /proc/[0-9]*/comm | wc -l"));
        Assert.Contains("No such process", pod.Command("exec", Other, "/bin/sh", "-c", "kill -9 -1").Error, StringComparison.Ordinal); // its own first process is spared
        Assert.Equal(("running", "running"), (pod.Read("status"), bundle.Read("status")));
        Assert.Equal(["1"], Numbers(pod.Must("ps", Other)));
        Assert.Equal(["1"], Numbers(pod.Must("ps", Bundle.Id)));
        Assert.Contains("\"current\":1", pod.Must("events", "--stats", Other), StringComparison.Ordinal);
        Assert.NotEqual(Namespaces(pod, Bundle.Id, "pid", "mnt", "ipc", "uts"), Namespaces(pod, Other, "pid", "mnt", "ipc", "uts"));
        Assert.Equal(Namespaces(pod, Bundle.Id, "net"), Namespaces(pod, Other, "net"));
    }

    [Fact]
    public void Containers_ShareLoopback()
    {
        using Bundle pod = new(root, "ip link set lo up 2>/dev/null; echo page > /tmp/page; exec busybox httpd -f -p 127.0.0.1:8080 -h /tmp");
        pod.Start();
        using Bundle bundle = new(root, "until wget -q -O - http://127.0.0.1:8080/page; do sleep 0.05; done", pod, Other);
        bundle.Start();
        bundle.Await("stopped");
        Assert.Equal("page\n", bundle.Output);
    }

    [Fact]
    public void NamespacesOfThePod_AreSharedWhereTheConfigurationNamesThem()
    {
        using Bundle pod = new(root, Idle);
        pod.Set("hostname", "\"pod\"").Start();
        string pid = pod.Read("pid");
        using Bundle bundle = new(root, Idle, pod, Other);
        bundle.Set("hostname", null).Set("linux.namespaces", $$"""
            [{"type": "pid", "path": "/proc/{{pid}}/ns/pid"}, {"type": "ipc", "path": "/proc/{{pid}}/ns/ipc"}, {"type": "uts", "path": "/proc/{{pid}}/ns/uts"},
             {"type": "network", "path": "/proc/{{pid}}/ns/net"}, {"type": "mount"}]
            """);
        bundle.Start();
        Assert.Equal(Namespaces(pod, Bundle.Id, "pid", "ipc", "uts", "net"), Namespaces(pod, Other, "pid", "ipc", "uts", "net"));
        Assert.Equal("pod\n2\n", pod.Must("exec", Other, "/bin/sh", "-c", "hostname; grep -l sleep /proc/[0-9]*/comm | wc -l"));

        // Each still has processes of its own for its engine, and goes alone.
        Assert.Single(Numbers(pod.Must("ps", Other)));
        bundle.Must("kill", "--all", Other, "9");
        bundle.Await("stopped");
        Assert.Equal(("running", "1\n"), (pod.Read("status"), pod.Must("exec", Bundle.Id, "/bin/sh", "-c", "grep -l sleep /proc/[0-9]*/comm | wc -l")));
    }

    [Fact]
    public void NetworkNamespaceOfASandbox_IsReasonEnoughToJoinIt()
    {
        using Bundle pod = new(root, Idle);
        pod.Start();
        using Bundle bundle = new(root, "readlink -f /proc/self/ns/net; " + Idle, pod, Other);
        bundle.Set("annotations", null).Set("linux.namespaces", $$"""[{"type": "pid"}, {"type": "ipc"}, {"type": "uts"}, {"type": "network", "path": "/proc/{{pod.Read("pid")}}/ns/net"}, {"type": "mount"}]""");
        bundle.Start();
        Assert.Equal(Namespaces(pod, Bundle.Id, "net"), Namespaces(pod, Other, "net"));

        // And a third by the second's.
        using Bundle third = new(root, Idle, pod, "third");
        third.Set("annotations", null).Set("linux.namespaces", $$"""[{"type": "pid"}, {"type": "ipc", "path": "/proc/{{bundle.Read("pid")}}/ns/ipc"}, {"type": "uts"}, {"type": "network", "path": "/proc/{{bundle.Read("pid")}}/ns/net"}, {"type": "mount"}]""");
        third.Start();
        Assert.Equal(Namespaces(pod, Other, "net", "ipc"), Namespaces(pod, "third", "net", "ipc"));
        Assert.NotEqual(Namespaces(pod, Bundle.Id, "ipc"), Namespaces(pod, "third", "ipc"));
    }

    [Fact]
    public void Sandbox_EndsWithItsFirstContainer_AndTakesTheOthersAlong()
    {
        using Bundle pod = new(root, Idle);
        pod.Start();
        using Bundle bundle = new(root, Idle, pod, Other);
        bundle.Start();
        pod.Must("kill", Bundle.Id, "9");
        pod.Await("stopped");
        bundle.Await("stopped");
        Assert.Equal("""{"id":"other","exitStatus":137}""", bundle.Must("wait", Other).Trim());
        pod.Must("delete", Bundle.Id);
        bundle.Must("delete", Other);
        pod.AssertNothingLeft();
        bundle.AssertNothingLeft();
    }

    [Fact]
    public void StandIn_ThatIsKilled_TakesItsContainerAlong()
    {
        using Bundle pod = new(root, Idle);
        pod.Start();
        using Bundle bundle = new(root, Idle, pod, Other);
        bundle.Set("linux.namespaces", $$"""[{"type": "pid", "path": "/proc/{{pod.Read("pid")}}/ns/pid"}, {"type": "network"}, {"type": "mount"}, {"type": "ipc"}, {"type": "uts"}]""");
        bundle.Start();
        Assert.Equal(0, Runsc.Execute(["kill", "-9", bundle.Read("pid")]).ExitCode);
        bundle.Await("stopped");
        Patience.Await(() => pod.Must("exec", Bundle.Id, "/bin/sh", "-c", "grep -l sleep /proc/[0-9]*/comm | wc -l") == "1\n", "the end of the container's process");
        bundle.Must("delete", Other);
        Assert.Equal("running", pod.Read("status"));
    }

    [Fact]
    public void Container_ThatCannotStart_IsGone_AndItsNameIsFree()
    {
        using Bundle pod = new(root, Idle);
        pod.Start();
        using Bundle bundle = new(root, "true", pod, Other);
        bundle.Set("process.args", """["/nowhere"]""");
        Assert.NotEqual(0, bundle.Create().ExitCode);
        Assert.Contains("/nowhere", bundle.Log, StringComparison.Ordinal);
        Assert.Equal(128, bundle.Command("state", Other).ExitCode);
        bundle.Set("process.args", """["/bin/echo", "now"]""").Start();
        bundle.Await("stopped");
        Assert.Equal("now\n", bundle.Output);
    }

    [Fact]
    public void Container_OfNoPod_IsRefusedInOneLine()
    {
        using Bundle pod = new(root, Idle);
        using Bundle bundle = new(root, Idle, pod, Other);
        Assert.NotEqual(0, bundle.Create().ExitCode);
        Assert.Contains("there is no running sandbox", bundle.Log, StringComparison.Ordinal);
        pod.AssertNothingLeft();
    }

    [Fact]
    public void ManyContainers_ComeAndGo_WithoutATrace()
    {
        const int Rounds = 12;
        using Bundle pod = new(root, Idle);
        pod.Start();
        int descriptors = CountDescriptors(pod);
        for (int round = 0; round < Rounds; round++)
        {
            using Bundle bundle = new(root, "echo text > /tmp/file", pod, Other);
            Assert.Equal(0, bundle.Detached("run", "--bundle", bundle.Folder, Other).ExitCode);
        }

        Patience.Await(() => CountDescriptors(pod) <= descriptors, "the end of what the sandbox had of its containers");
    }

    private static int CountDescriptors(Bundle pod) => Directory.GetFileSystemEntries($"/proc/{pod.Read("pid")}/fd").Length;

    private static string Namespaces(Bundle pod, string id, params string[] kinds) =>
        pod.Must("exec", id, "/bin/sh", "-c", string.Join(';', kinds.Select(static kind => $"stat -L -c %i /proc/self/ns/{kind}")));

    private static string[] Numbers(string listing) => [.. listing.Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(static line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1])];
}
