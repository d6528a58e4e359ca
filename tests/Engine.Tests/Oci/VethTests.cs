using System.Security.Cryptography;

namespace Moat.Engine.Tests.Oci;

/// <summary>The sandbox's stack beside Linux's on real links: each asks, each answers.</summary>
public sealed class VethTests : IClassFixture<BundleRoot>, IDisposable
{
    private const string Pages = "/tmp";

    private readonly VethNetwork _network = new();
    private readonly Bundle _bundle;
    private readonly string _hash;

    public VethTests(BundleRoot root)
    {
        _bundle = new Bundle(root, $"cd {Pages} && cp /blob . && exec httpd -f -p 80");
        _bundle.Set("linux.namespaces", $$"""[{"type": "pid"}, {"type": "mount"}, {"type": "ipc"}, {"type": "uts"}, {"type": "network", "path": "{{_network.Path}}"}]""");
        _bundle.Set("process.capabilities.effective", """["CAP_NET_RAW", "CAP_NET_BIND_SERVICE", "CAP_NET_ADMIN"]""");
        _bundle.Set("process.capabilities.permitted", """["CAP_NET_RAW", "CAP_NET_BIND_SERVICE", "CAP_NET_ADMIN"]""");
        _bundle.Set("process.capabilities.bounding", """["CAP_NET_RAW", "CAP_NET_BIND_SERVICE", "CAP_NET_ADMIN"]""");
        byte[] blob = new byte[5_000_000];
        new Random(1).NextBytes(blob);
        _hash = Convert.ToHexStringLower(SHA256.HashData(blob)) + "  -\n";
        File.WriteAllBytes(Path.Combine(_bundle.Folder, "blob"), blob);
        _bundle.Add("mounts", $$"""{"destination": "/blob", "type": "bind", "source": "{{_bundle.Folder}}/blob", "options": ["rbind", "ro"]}""");
        _bundle.Start();
        Patience.Await(() => _network.OnHost($"busybox wget -q -O /dev/null http://{VethNetwork.Container}/blob").ExitCode == 0, "the container's server");
    }

    public void Dispose()
    {
        _bundle.Dispose();
        _network.Dispose();
    }

    [Theory]
    [InlineData("")]
    [InlineData("tcp_sack=0")]
    [InlineData("tcp_timestamps=0")]
    [InlineData("tcp_window_scaling=0")]
    [InlineData("tcp_sack=0 tcp_timestamps=0 tcp_window_scaling=0")]
    public void Transfers_ArriveWholeInBothRoles(string settings)
    {
        string set = string.Join("; ", settings.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(static setting => $"echo {setting[^1]} > /proc/sys/net/ipv4/{setting[..^2]}"));
        Assert.Equal(0, _network.OnHost($"{set}\nexec > /dev/null 2>&1\nbusybox httpd -p 8080 -h {_bundle.Folder}").ExitCode);
        try
        {
            Assert.Equal(_hash, _network.OnHost($"busybox wget -q -O - http://{VethNetwork.Container}/blob | sha256sum").Output);
            Assert.Equal(_hash, _network.OnHost($"busybox wget -q -O - http://[{VethNetwork.ContainerV6}]/blob | sha256sum").Output);
            Assert.Equal(_hash, Exec($"wget -q -O - http://{VethNetwork.Host}:8080/blob | sha256sum"));
            Assert.Equal(_hash, Exec($"wget -q -O - http://[{VethNetwork.HostV6}]:8080/blob | sha256sum"));
        }
        finally
        {
            _network.OnHost("kill $(ss -tlpnH 'sport = 8080' | grep -o 'pid=[0-9]*' | head -1 | cut -d= -f2)");
        }
    }

    [Theory]
    [InlineData(VethNetwork.Host, VethNetwork.Container, 56)]
    [InlineData(VethNetwork.Host, VethNetwork.Container, 8000)]
    [InlineData(VethNetwork.HostV6, VethNetwork.ContainerV6, 56)]
    [InlineData(VethNetwork.HostV6, VethNetwork.ContainerV6, 8000)]
    public void Echoes_AreAnsweredWhole(string host, string container, int size)
    {
        Assert.Contains(" 0% packet loss", _network.OnHost($"busybox ping -c 2 -s {size} {container}").Output, StringComparison.Ordinal);
        Assert.Contains(" 0% packet loss", Exec($"ping -c 2 -s {size} {host}"), StringComparison.Ordinal);
    }

    [Fact]
    public void Neighbors_FindOneAnotherAgain()
    {
        for (int i = 0; i < 2; i++)
        {
            Assert.Equal(0, _network.OnHost("ip neigh flush dev eth0 && ip -6 neigh flush dev eth0").ExitCode);
            Assert.Contains(" 0% packet loss", _network.OnHost($"busybox ping -c 1 {VethNetwork.Container}").Output, StringComparison.Ordinal);
            Assert.Contains(" 0% packet loss", _network.OnHost($"busybox ping -c 1 {VethNetwork.ContainerV6}").Output, StringComparison.Ordinal);
        }

        string seen = _network.OnHost("ip neigh show dev eth0 nud reachable").Output;
        string own = Exec("ip link show dev eth0 | grep -o 'ether [^ ]*' | cut -d' ' -f2").Trim();
        Assert.Contains($"{VethNetwork.Container} lladdr {own}", seen, StringComparison.Ordinal);
        Assert.Contains($"{VethNetwork.ContainerV6} lladdr {own}", seen, StringComparison.Ordinal);
    }

    [Fact]
    public void AddressOfAnotherInterface_IsAnsweredFor()
    {
        // Addresses belong to the host, not to the interface (RFC 1122 section 3.3.4.2: the weak model, as in Linux).
        Assert.Equal(0, _network.OnHost($"ip addr del 198.18.0.1/24 dev eth1 && ip route add {VethNetwork.SecondContainer} dev eth0").ExitCode);
        Assert.Contains(" 0% packet loss", _network.OnHost($"busybox ping -c 1 {VethNetwork.SecondContainer}").Output, StringComparison.Ordinal);
        Assert.Equal(_hash, _network.OnHost($"busybox wget -q -O - http://{VethNetwork.SecondContainer}/blob | sha256sum").Output);
    }

    [Fact]
    public void PacketsForOthers_AreNotPassedOn()
    {
        Assert.Equal(0, _network.OnHost($"ip addr add 198.18.1.1/32 dev lo && ip route add 198.18.2.0/24 via {VethNetwork.Container}").ExitCode);
        Assert.Contains(" 100% packet loss", _network.OnHost("busybox ping -c 1 -W 1 198.18.2.9").Output, StringComparison.Ordinal);
    }

    [Fact]
    public void InterfaceThatGoesDown_ComesBackWithItsRoutes()
    {
        _network.InContainer("ip link set eth0 down");
        Patience.Await(() => !Exec("ip link show dev eth0").Contains("UP", StringComparison.Ordinal), "eth0 down");
        Assert.DoesNotContain("default", Exec("ip route"), StringComparison.Ordinal);
        _network.InContainer($"ip link set eth0 up && ip route add default via {VethNetwork.Host}");
        Patience.Await(() => Exec("ip route").Contains("default", StringComparison.Ordinal), "the default route");
        Patience.Await(() => _network.OnHost($"busybox ping -c 1 -W 1 {VethNetwork.Container}").ExitCode == 0, "an answer");
    }

    [Fact]
    public void MtuOfTheLink_IsFollowed()
    {
        Assert.Equal(0, _network.OnHost("ip link set eth0 mtu 1300").ExitCode);
        _network.InContainer("ip link set eth0 mtu 1300");
        Patience.Await(() => Exec("ip link show dev eth0").Contains("mtu 1300", StringComparison.Ordinal), "the MTU");
        Assert.Equal(_hash, _network.OnHost($"busybox wget -q -O - http://{VethNetwork.Container}/blob | sha256sum").Output);
    }

    private string Exec(string script) => _bundle.Must("exec", Bundle.Id, "sh", "-c", script);
}
