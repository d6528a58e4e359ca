using System.Globalization;
using System.Security.Cryptography;

namespace Moat.Engine.Tests;

/// <summary>Docker's networks: what a sandboxed container reaches, and who reaches it.</summary>
[Collection(DockerDaemon.Collection)]
public sealed class DockerNetworkTests(DockerDaemon daemon) : IDisposable
{
    private const string Serve = "cd /tmp && hostname > index.html && exec httpd -f -p 80";
    private const string Fetch = "wget -q -O -";

    private readonly List<string> _containers = [];
    private readonly List<string> _networks = [];

    public void Dispose()
    {
        _containers.ForEach(name => daemon.Docker("rm", "-f", name));
        _networks.ForEach(name => daemon.Docker("network", "rm", name));
    }

    [Fact]
    public void DefaultBridge_GivesTheInterfaceThatDockerNames()
    {
        Start("one", "", "sleep 1000");
        string[] told = Inspect("one", "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{.MacAddress}} {{.Gateway}}{{end}}").Split(' ');
        string seen = daemon.Must("exec", "one", "sh", "-c", "ip addr show eth0; ip route; cat /etc/hosts /etc/resolv.conf");
        Assert.Contains($"inet {told[0]}/24 brd 198.51.100.255 scope global eth0", seen, StringComparison.Ordinal);
        Assert.Contains($"link/ether {told[1]}", seen, StringComparison.Ordinal);
        Assert.Contains($"default via {told[2]} dev eth0", seen, StringComparison.Ordinal);
        Assert.Contains($"{told[0]}\t{Inspect("one", "{{.Config.Hostname}}")}", seen, StringComparison.Ordinal);
        Assert.Contains($"nameserver {DockerDaemon.Gateway}", seen, StringComparison.Ordinal);
        Assert.Contains(" 0% packet loss", daemon.Must("exec", "one", "ping", "-c", "2", told[2]), StringComparison.Ordinal);
        Assert.Contains(" 0% packet loss", daemon.OnHost($"busybox ping -c 2 {told[0]}").Output, StringComparison.Ordinal);
    }

    [Fact]
    public void PublishedPort_IsReachedFromTheHost()
    {
        Start("served", "-p 8080:80", Serve);
        AwaitReply($"busybox {Fetch} http://127.0.0.1:8080/", Inspect("served", "{{.Config.Hostname}}"));
        Assert.Equal(Inspect("served", "{{.Config.Hostname}}") + "\n", daemon.OnHost($"busybox {Fetch} http://{DockerDaemon.Gateway}:8080/").Output);
    }

    [Fact]
    public void Nginx_ServesTenThousandRequestsWithoutAnError()
    {
        const string Requests = "10000";
        string debian = Runsc.Execute([Path.Combine(Runsc.Repository, "tools/debian-root")], timeoutSeconds: 900).Output.Trim();
        string options = $"-p 8081:80 -v {debian}:/debian:ro --tmpfs /debian/run --tmpfs /debian/var/log/nginx --tmpfs /debian/var/lib/nginx";
        Start("busy", options, "exec chroot /debian /usr/sbin/nginx -g 'daemon off;'");
        Patience.Await(() => daemon.OnHost($"busybox {Fetch} http://{DockerDaemon.Gateway}:8081/").Output.Contains("Welcome to nginx", StringComparison.Ordinal), "nginx's page");
        CommandResult result = daemon.OnHost($"ab -q -n {Requests} -c 16 http://{DockerDaemon.Gateway}:8081/", timeoutSeconds: 600);
        Assert.Contains($"Complete requests:      {Requests}\n", result.Output, StringComparison.Ordinal);
        Assert.Contains("Failed requests:        0\n", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("Non-2xx", result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("runsc", "runsc")]
    [InlineData("runsc", "runc")]
    [InlineData("runc", "runsc")]
    public void UserDefinedNetwork_FindsContainersByName(string asking, string asked)
    {
        string network = Network("named");
        Start("server", $"--network {network} --network-alias web --runtime={asked}", Serve);
        string name = Inspect("server", "{{.Config.Hostname}}");
        AwaitReply($"busybox {Fetch} http://{AddressOf("server")}/", name);
        string script = $"{Fetch} http://server/; {Fetch} http://web/; ping -c 1 server | grep -c ' 0% packet loss'; grep nameserver /etc/resolv.conf";
        Assert.Equal($"{name}\n{name}\n1\nnameserver 127.0.0.11", daemon.Must("run", "--rm", $"--runtime={asking}", "--network", network, "busybox", "sh", "-c", script));
    }

    [Fact]
    public void UserDefinedNetwork_FindsNamesOfTheOutsideThroughDocker()
    {
        NameServer.StartBeside(daemon);
        string network = Network("outward");
        string answer = daemon.Docker("run", "--rm", "--runtime=runsc", "--network", network, "busybox", "nslookup", "somewhere.example").Output; // fails, as there is no IPv6 address
        Assert.Contains(NameServer.Answer, answer, StringComparison.Ordinal);
    }

    [Fact]
    public void RunningContainer_IsConnectedAndDisconnected()
    {
        string network = Network("later");
        Start("there", $"--network {network}", Serve);
        Start("mover", "", "sleep 1000");
        AwaitReply($"busybox {Fetch} http://{AddressOf("there")}/", Inspect("there", "{{.Config.Hostname}}"));
        Assert.NotEqual(0, daemon.Docker("exec", "mover", "ip", "addr", "show", "eth1").ExitCode);

        daemon.Must("network", "connect", network, "mover");
        string address = Inspect("mover", "{{(index .NetworkSettings.Networks \"" + network + "\").IPAddress}}");
        Patience.Await(() => daemon.Docker("exec", "mover", "ip", "addr", "show", "eth1").Output.Contains($"inet {address}/24", StringComparison.Ordinal), "the second network's address");
        Assert.Equal(Inspect("there", "{{.Config.Hostname}}"), daemon.Must("exec", "mover", "sh", "-c", $"{Fetch} http://there/"));
        Assert.Contains(" 0% packet loss", daemon.Must("exec", "mover", "ping", "-c", "1", DockerDaemon.Gateway), StringComparison.Ordinal);

        daemon.Must("network", "disconnect", network, "mover");
        Patience.Await(() => daemon.Docker("exec", "mover", "ip", "addr", "show", "eth1").ExitCode != 0, "the second network's end");
        Assert.Contains(" 0% packet loss", daemon.Must("exec", "mover", "ping", "-c", "1", DockerDaemon.Gateway), StringComparison.Ordinal);
    }

    [Fact]
    public void Restart_TakesTheNetworkOverAgain()
    {
        Start("again", "", Serve);
        AwaitReply($"busybox {Fetch} http://{AddressOf("again")}/", Inspect("again", "{{.Config.Hostname}}"));
        daemon.Must("restart", "-t", "0", "again");
        AwaitReply($"busybox {Fetch} http://{AddressOf("again")}/", Inspect("again", "{{.Config.Hostname}}"));
    }

    [Fact]
    public void NetworkOfAContainer_IsSharedWithIt()
    {
        Start("owner", "", Serve);
        string name = Inspect("owner", "{{.Config.Hostname}}");
        AwaitReply($"busybox {Fetch} http://{AddressOf("owner")}/", name);
        Start("sharer", "--network container:owner", Serve.Replace("-p 80", "-p 8081", StringComparison.Ordinal));
        AwaitReply($"busybox {Fetch} http://{AddressOf("owner")}:8081/", name); // an engine's rule: one network, one host name
        Assert.Equal($"{name}\n{name}", daemon.Must("exec", "sharer", "sh", "-c", $"{Fetch} http://127.0.0.1/; {Fetch} http://127.0.0.1:8081/"));
        Assert.Equal(name, daemon.Must("exec", "owner", "sh", "-c", $"{Fetch} http://127.0.0.1:8081/"));
        Assert.Equal($"{name} 0", daemon.Must("run", "--rm", "--runtime=runsc", "--network", "container:sharer", "busybox", "sh", "-c", $"echo $({Fetch} http://127.0.0.1/) $(grep -l httpd /proc/[0-9]*/comm | wc -l)").Trim());
        Assert.Contains($"inet {AddressOf("owner")}/", daemon.Must("exec", "sharer", "ip", "addr"), StringComparison.Ordinal);
        Assert.Contains(" 0% packet loss", daemon.Must("exec", "sharer", "ping", "-c", "1", DockerDaemon.Gateway), StringComparison.Ordinal);

        // Each is a container of its own for Docker: it ends alone, and comes again.
        daemon.Must("pause", "sharer");
        Assert.Equal(name, daemon.Must("exec", "owner", "sh", "-c", $"{Fetch} http://127.0.0.1/"));
        daemon.Must("unpause", "sharer");
        daemon.Must("restart", "-t", "0", "sharer");
        AwaitReply($"busybox {Fetch} http://{AddressOf("owner")}:8081/", name);
        daemon.Must("kill", "sharer");
        Patience.Await(() => Inspect("sharer", "{{.State.Status}} {{.State.ExitCode}}") == "exited 137", "the sharer's end");
        Assert.Equal(name, daemon.Must("exec", "owner", "sh", "-c", $"{Fetch} http://127.0.0.1/"));
    }

    [Fact]
    public void OwnerOfASharedNetwork_TakesTheOthersAlong()
    {
        Start("first", "", "sleep 1000");
        Start("second", "--network container:first", "sleep 1000");
        daemon.Must("stop", "-t", "0", "first");
        Patience.Await(() => Inspect("second", "{{.State.Status}} {{.State.ExitCode}}") == "exited 137", "the second's end");
        daemon.Must("start", "first");
        daemon.Must("start", "second");
        Assert.Equal("here", daemon.Must("exec", "second", "echo", "here"));
    }

    [Fact]
    public void HostNetwork_IsTheDaemons()
    {
        Start("beside", "--network host --runtime=runsc-host", Serve.Replace("-p 80", "-p 8083", StringComparison.Ordinal));
        AwaitReply($"busybox {Fetch} http://127.0.0.1:8083/", daemon.Must("exec", "beside", "hostname"));
        Assert.Contains($"inet {DockerDaemon.Gateway}/24", daemon.Must("exec", "beside", "ip", "addr", "show", "docker0"), StringComparison.Ordinal);
    }

    [Fact]
    public void NoNetwork_IsLoopbackAlone() =>
        Assert.Equal("1\n127.0.0.1\n", daemon.Run("", "sh", "-c", "ip link | grep -c '^[0-9]'; ip route get 127.0.0.1 | grep -o 'src .*' | cut -d' ' -f2").Output);

    [Fact]
    public void Transfers_ArriveWholeWhereEveryTwentiethPacketIsLost()
    {
        const string Peer = "198.18.200.2"; // behind the host, which loses what it forwards
        int megabytes = MayTakeLong ? 1024 : 24;
        string file = Path.Combine(daemon.Folder, "blob");
        Assert.Equal(0, Runsc.Execute(["dd", "if=/dev/urandom", $"of={file}", "bs=1M", string.Create(CultureInfo.InvariantCulture, $"count={megabytes}")]).ExitCode);
        using FileStream stream = File.OpenRead(file);
        string hash = Convert.ToHexStringLower(SHA256.HashData(stream)) + "  -\n";
        Start("lossy", $"-v {file}:/tmp/blob:ro", Serve);
        string address = AddressOf("lossy");
        AwaitReply($"busybox {Fetch} http://{address}/", Inspect("lossy", "{{.Config.Hostname}}"));
        string peer = daemon.OnHost($"""
            set -e
            unshare -n busybox httpd -f -p 80 -h {daemon.Folder} < /dev/null > /dev/null 2>&1 &
            until [ "$(readlink /proc/$!/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.02; done
            ip link add peer0 type veth peer name peer1 netns $!
            ip addr add 198.18.200.1/24 dev peer0
            ip link set peer0 up
            nsenter --net=/proc/$!/ns/net sh -c 'ip addr add {Peer}/24 dev peer1 && ip link set peer1 up && ip route add default via 198.18.200.1'
            iptables -I FORWARD -j ACCEPT
            iptables -I FORWARD -m statistic --mode random --probability 0.05 -j DROP
            echo $!
            """).Output.Trim();
        try
        {
            Assert.Equal(hash, daemon.OnHost($"nsenter --net=/proc/{peer}/ns/net busybox wget -q -O - http://{address}/blob | sha256sum", timeoutSeconds: 1800).Output);
            string[] fetch = ["exec", "lossy", "sh", "-c", $"wget -q -O - http://{Peer}/blob | sha256sum"];
            Assert.Equal(hash, daemon.DockerWith(null, timeoutSeconds: 1800, fetch).Output);
        }
        finally
        {
            daemon.OnHost($"iptables -D FORWARD -m statistic --mode random --probability 0.05 -j DROP; iptables -D FORWARD -j ACCEPT; kill {peer}");
        }
    }

    private static bool MayTakeLong => Environment.GetEnvironmentVariable("MOAT_STRESS") is { Length: > 0 };

    private string Network(string name)
    {
        daemon.Must("network", "create", name);
        _networks.Add(name);
        return name;
    }

    private void Start(string name, string options, string script)
    {
        daemon.Must(["run", "-d", "--name", name, .. options.Contains("--runtime", StringComparison.Ordinal) ? (string[])[] : ["--runtime=runsc"], .. options.Split(' ', StringSplitOptions.RemoveEmptyEntries), "busybox", "sh", "-c", script]);
        _containers.Add(name);
    }

    private string Inspect(string name, string format) => daemon.Must("inspect", "-f", format, name);

    private string AddressOf(string name) => Inspect(name, "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}");

    private void AwaitReply(string command, string reply) => Patience.Await(() => daemon.OnHost(command).Output == reply + "\n", $"{command}: {reply}");
}
