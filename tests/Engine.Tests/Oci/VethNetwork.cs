namespace Moat.Engine.Tests.Oci;

/// <summary>Two network namespaces of a test's own, which end with it: one for a container, one for a Linux host at the other end of two veth pairs.</summary>
public sealed class VethNetwork : IDisposable
{
    /// <summary>The host's end of the first pair.</summary>
    public const string Host = "198.51.100.1";

    /// <summary>The container's end of the first pair.</summary>
    public const string Container = "198.51.100.2";

    /// <summary>The host's end of the first pair.</summary>
    public const string HostV6 = "2001:db8::1";

    /// <summary>The container's end of the first pair.</summary>
    public const string ContainerV6 = "2001:db8::2";

    /// <summary>The container's end of the second pair.</summary>
    public const string SecondContainer = "198.18.0.2";

    private readonly NetworkSpace _host = new();
    private readonly NetworkSpace _container = new();

    public VethNetwork()
    {
        int container = _container.Id;
        _host.Must($"""
            ip link set lo up
            ip link add eth0 type veth peer name eth0 netns {container}
            ip link add eth1 type veth peer name eth1 netns {container}
            ip addr add {Host}/24 dev eth0 && ip addr add {HostV6}/64 dev eth0 nodad && ip addr add 198.18.0.1/24 dev eth1
            ip link set eth0 up && ip link set eth1 up
            """);
        _container.Must($"""
            echo 8 > /proc/sys/net/ipv4/conf/all/arp_ignore # answers are the sandbox's alone
            ip link set lo up
            ip addr add {Container}/24 brd + dev eth0 && ip addr add {ContainerV6}/64 dev eth0 nodad && ip addr add {SecondContainer}/24 dev eth1
            ip link set eth0 up && ip link set eth1 up
            ip route add default via {Host}
            """);
    }

    /// <summary>The container's namespace, for config.json.</summary>
    public string Path => _container.Path;

    /// <summary>A command line that begins with these runs on the host's side.</summary>
    public IReadOnlyList<string> HostPrefix => _host.Prefix;

    /// <summary>Runs a script on the host's side.</summary>
    public CommandResult OnHost(string script) => _host.Run(script);

    /// <summary>Changes something in the container's namespace, as an engine would.</summary>
    public void InContainer(string script) => _container.Must(script);

    /// <inheritdoc/>
    public void Dispose()
    {
        _host.Dispose();
        _container.Dispose();
    }
}
