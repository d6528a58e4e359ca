using System.Globalization;

namespace Moat.Engine.Tests.Oci;

/// <summary>TCP between the sandbox and Linux as tcpdump(8) sees it, in both roles: opening, closing, resets, and the repair of losses.</summary>
public sealed class WireTests : IClassFixture<BundleRoot>, IDisposable
{
    private const string Capabilities = """["CAP_NET_RAW", "CAP_NET_BIND_SERVICE", "CAP_NET_ADMIN"]""";
    private const string NoOffload = "ethtool -K eth0 tso off gso off gro off > /dev/null";
    private const int Port = 7000;
    private const string Peer = "198.18.200.2";

    private readonly VethNetwork _network = new();
    private readonly Bundle _bundle;

    public WireTests(BundleRoot root)
    {
        // Segments of one packet each, so that single ones can be lost.
        Assert.Equal(0, _network.OnHost(NoOffload).ExitCode);
        _network.InContainer(NoOffload);
        _bundle = new Bundle(root, $"cd /tmp && dd if=/dev/urandom of=blob bs=1000 count=60 && nc -ll -p {Port} -e sh -c 'read line; echo got $line' & cd /tmp && exec httpd -f -p 80");
        _bundle.Set("linux.namespaces", $$"""[{"type": "pid"}, {"type": "mount"}, {"type": "ipc"}, {"type": "uts"}, {"type": "network", "path": "{{_network.Path}}"}]""");
        foreach (string set in (string[])["effective", "permitted", "bounding"])
        {
            _bundle.Set($"process.capabilities.{set}", Capabilities);
        }

        _bundle.Start();
        Patience.Await(() => _network.OnHost($"busybox wget -q -O /dev/null http://{VethNetwork.Container}/blob && echo | busybox nc {VethNetwork.Container} {Port}").Output.Contains("got", StringComparison.Ordinal), "the container's servers");
    }

    public void Dispose()
    {
        _bundle.Dispose();
        _network.Dispose();
    }

    [Fact]
    public void HandshakeAndClose_WhereTheSandboxAnswers()
    {
        using WireTrace trace = Watch(Port);
        Assert.Equal("got hello\n", _network.OnHost($"echo hello | busybox nc {VethNetwork.Container} {Port}").Output);
        AssertSegments(trace, """
            < S 0:0(0) <TS,mss,sackOK,wscale>
            > S. 0:0(0) ack 1 <TS,mss,sackOK,wscale>
            < P. 1:7(6)
            < F. 7:7(0)
            > P. 1:11(10)
            > F. 11:11(0)
            """);
    }

    [Fact]
    public void HandshakeAndClose_WhereTheSandboxAsks()
    {
        using WireTrace trace = Watch(Port);
        string server = _network.OnHost($"busybox nc -l -p {Port} -e sh -c 'read line; echo got $line' > /dev/null 2>&1 & until ss -tlnH 'sport = {Port}' | grep -q .; do sleep 0.02; done; echo $!").Output;
        Assert.NotEmpty(server);
        Assert.Equal("got hello\n", _bundle.Must("exec", Bundle.Id, "sh", "-c", $"echo hello | nc {VethNetwork.Host} {Port}"));
        AssertSegments(trace, """
            > S 0:0(0) <TS,mss,sackOK,wscale>
            < S. 0:0(0) ack 1 <TS,mss,sackOK,wscale>
            > P. 1:7(6)
            > F. 7:7(0)
            < P. 1:11(10)
            < F. 11:11(0)
            """);
    }

    [Fact]
    public void PortThatNobodyListensOn_IsResetByEither()
    {
        using WireTrace trace = Watch(Port + 1);
        Assert.NotEqual(0, _network.OnHost($"busybox nc {VethNetwork.Container} {Port + 1} < /dev/null").ExitCode);
        Assert.NotEqual(0, _bundle.Command("exec", Bundle.Id, "sh", "-c", $"nc {VethNetwork.Host} {Port + 1} < /dev/null").ExitCode);
        AssertSegments(trace, """
            < S 0:0(0) <TS,mss,sackOK,wscale>
            > R. 0:0(0)
            > S 0:0(0) <TS,mss,sackOK,wscale>
            < R. 0:0(0)
            """);
    }

    [Theory]
    [InlineData(true, 1)]
    [InlineData(true, 4)]
    [InlineData(false, 1)]
    [InlineData(false, 4)]
    public void SegmentsThatAreLost_AreSentAgainOnceTheReceiverTellsOfThem(bool sandboxSends, int losses)
    {
        // The full segments with numbers 5, 10, …, as they arrive at the host, or as it passes them on from a host behind it.
        int port = sandboxSends ? 80 : 8080;
        string rule = string.Create(CultureInfo.InvariantCulture, $"{(sandboxSends ? "INPUT" : "FORWARD")} -p tcp --sport {port} -m length --length 1400:1600 -m statistic --mode nth --every 5 --packet 4 -m limit --limit 1/day --limit-burst {losses} -j DROP");
        CommandResult peer = _network.OnHost($$"""
            set -e
            dd if=/dev/urandom of={{_bundle.Folder}}/blob bs=1000 count=60 2> /dev/null
            unshare -n busybox httpd -f -p 8080 -h {{_bundle.Folder}} < /dev/null > /dev/null 2>&1 &
            until [ "$(readlink /proc/$!/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.02; done
            ip link add peer0 type veth peer name peer1 netns $!
            ip addr add 198.18.200.1/24 dev peer0
            ip link set peer0 up
            nsenter --net=/proc/$!/ns/net sh -c 'ip addr add {{Peer}}/24 dev peer1 && ip link set peer1 up && ip route add default via 198.18.200.1 && ethtool -K peer1 tso off gso off gro off > /dev/null'
            ethtool -K peer0 tso off gso off gro off > /dev/null
            echo 1 > /proc/sys/net/ipv4/ip_forward
            iptables -A {{rule}}
            echo $!
            """);
        Assert.Equal((0, ""), (peer.ExitCode, peer.Error));
        try
        {
            using WireTrace trace = Watch(port);
            string fetch = string.Create(CultureInfo.InvariantCulture, $"wget -q -O - http://{(sandboxSends ? VethNetwork.Container : Peer)}:{port}/blob | wc -c");
            Assert.Equal("60000\n", sandboxSends ? _network.OnHost("busybox " + fetch).Output : _bundle.Must("exec", Bundle.Id, "sh", "-c", fetch));
            Patience.Await(() => IsClosed(trace.Read()), "the end of the connection");
            AssertRepaired(trace.Read(), sandboxSends, losses);
        }
        finally
        {
            _network.OnHost($"kill {peer.Output.Trim()}");
        }
    }

    private WireTrace Watch(int port) => new(_network, _bundle.Folder, $"tcp port {port}");

    // What each side sends, acknowledgments apart, is what is expected, in its order; how the two are interleaved is not said. What a slow machine made one send again counts once.
    private static void AssertSegments(WireTrace trace, string expected)
    {
        string[] lines = expected.Split('\n');
        Patience.Await(() => trace.Read().Where(static segment => !segment.IsPureAcknowledgment).Select(static segment => segment.ToString()).Distinct().Count() >= lines.Length, "the segments");
        foreach (char side in "<>")
        {
            string[] seen = [.. trace.Read().Where(static segment => !segment.IsPureAcknowledgment).Select(static segment => segment.ToString()).Where(line => line[0] == side).Distinct()];
            Assert.Equal(lines.Where(line => line[0] == side), seen);
        }
    }

    private static bool IsClosed(IReadOnlyList<WireSegment> segments)
    {
        uint[] ends = [0, 0];
        foreach (WireSegment segment in segments.Where(static segment => segment.Flags.Contains('F', StringComparison.Ordinal)))
        {
            ends[segment.IsFromSandbox ? 1 : 0] = segment.End;
        }

        return ends[0] > 0 && ends[1] > 0 && segments.Any(segment => !segment.IsFromSandbox && segment.Acknowledgment == ends[1]) && segments.Any(segment => segment.IsFromSandbox && segment.Acknowledgment == ends[0]);
    }

    // Of each segment that is lost the receiver tells by SACK of later ones, and then it comes again. A slow machine may send others again too.
    private static void AssertRepaired(IReadOnlyList<WireSegment> segments, bool sandboxSends, int losses)
    {
        int repaired = 0;
        uint highest = 0;
        List<WireSegment> heard = [];
        foreach (WireSegment segment in segments)
        {
            if (segment.IsFromSandbox != sandboxSends)
            {
                heard.Add(segment);
            }
            else if (segment.Length > 0)
            {
                bool isTold = heard.Exists(ack => ack.Acknowledgment <= segment.Start && ack.Sacks.Any(block => block.Left >= segment.End));
                repaired += segment.Start < highest && isTold && !heard.Exists(ack => ack.Acknowledgment > segment.Start) ? 1 : 0;
                highest = Math.Max(highest, segment.End);
            }
        }

        Assert.True(repaired >= (losses + 1) / 2, $"{repaired} repaired of {losses}\n{string.Join('\n', segments)}"); // what is sent again may be lost, too
    }
}
