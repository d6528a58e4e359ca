using System.Diagnostics;
using System.Globalization;

namespace Moat.Engine.Tests.Oci;

/// <summary>What ten thousand connections cost the Sentry on which nothing happens: descriptor, file, socket, connection and registration with epoll together.</summary>
public sealed class IdleConnectionTests(BundleRoot root) : IClassFixture<BundleRoot>
{
    private const int Ends = 10_000;
    private const int MostBytes = 4096;

    [Fact]
    public void BothEndsOnLoopback()
    {
        using Bundle bundle = MakeBundle($"exec /idle pairs {Ends / 2}", """{"type": "network"}""");
        bundle.Start();
        AwaitLine(() => bundle.Output, "warm");
        (long heap, long resident) before = Held(bundle);
        bundle.Must("kill", Bundle.Id, "USR1");
        AwaitLine(() => bundle.Output, "ready");
        AssertLittle(before, Held(bundle));
    }

    [Fact]
    public void AcceptedFromAPeer()
    {
        using VethNetwork network = new();
        using Bundle bundle = MakeBundle($"exec /idle accept {Ends}", $$"""{"type": "network", "path": "{{network.Path}}"}""");
        bundle.Start();
        IReadOnlyList<string> prefix = network.HostPrefix;
        Patience.Await(() => network.OnHost($"ping -c 1 -W 1 {VethNetwork.Container}").ExitCode == 0, "the container's network");
        Patience.Await(() => bundle.Must("exec", Bundle.Id, "netstat", "-ltn").Contains(":7000 ", StringComparison.Ordinal), "the listener");
        using Process peer = Process.Start(new ProcessStartInfo(prefix[0], [.. prefix.Skip(1), Path.Combine(bundle.Folder, "idle"), "connect", $"{Ends}", VethNetwork.Container]) { RedirectStandardOutput = true })!;
        try
        {
            Assert.Equal("warm", peer.StandardOutput.ReadLine());
            AwaitLine(() => bundle.Output, "warm");
            (long heap, long resident) before = Held(bundle);
            Assert.Equal(0, Runsc.Execute(["kill", "-USR1", $"{peer.Id}"]).ExitCode);
            Assert.Equal("ready", peer.StandardOutput.ReadLine());
            AwaitLine(() => bundle.Output, "ready");
            AssertLittle(before, Held(bundle));
        }
        finally
        {
            peer.Kill();
            peer.WaitForExit();
        }
    }

    // What lives, and what the process holds with what the collector has not given back.
    private static void AssertLittle((long Heap, long Resident) before, (long Heap, long Resident) after)
    {
        Assert.InRange((after.Heap - before.Heap) / Ends, 1, MostBytes * 7 / 8);
        Assert.InRange((after.Resident - before.Resident) / Ends, 1, MostBytes);
    }

    private static (long Heap, long Resident) Held(Bundle bundle)
    {
        string line = bundle.Must("debug", "--memory", Bundle.Id).Split('\n').Single(static line => line.StartsWith("heap-bytes ", StringComparison.Ordinal));
        string anonymous = File.ReadLines($"/proc/{bundle.Read("pid")}/smaps_rollup").Single(static line => line.StartsWith("Pss_Anon:", StringComparison.Ordinal));
        return (long.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture), 1024 * long.Parse(anonymous.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture));
    }

    private static void AwaitLine(Func<string> read, string line) => Patience.Await(() => read().Split('\n').Contains(line), () => $"{line}: {read()}");

    private Bundle MakeBundle(string script, string network)
    {
        Bundle bundle = new(root, script);
        string program = Path.Combine(bundle.Folder, "idle");
        CommandResult compiled = Runsc.Execute(["gcc", "-O1", "-Wall", "-Werror", "-static", "-o", program, Path.Combine(Runsc.Repository, "tests", "Engine.Tests", "Oci", "idle.c")]);
        Assert.True(compiled.ExitCode == 0, compiled.Error);
        return bundle.Add("mounts", $$"""{"destination": "/idle", "type": "bind", "source": "{{program}}", "options": ["rbind", "ro"]}""")
            .Set("process.rlimits", """[{"type": "RLIMIT_NOFILE", "hard": 20000, "soft": 20000}]""")
            .Set("linux.namespaces", $$"""[{"type": "pid"}, {"type": "mount"}, {"type": "ipc"}, {"type": "uts"}, {{network}}]""");
    }
}
