using Moat.Kernel;
using Moat.Kernel.Credentials;
using Moat.Kernel.Namespaces;
using Moat.Linux;
using Moat.Netstack;
using Moat.Netstack.Interfaces;
using Moat.Sockets.Inet;
using Moat.Sockets.Netfilter.Legacy;

namespace Moat.Sockets;

/// <summary>A network namespace: a stack, the address families that have sockets in it, and the sockets that there are. Any thread; families are added before it is used.</summary>
public sealed class SocketNetwork : NetworkNamespace
{
    private readonly SocketNetworks _networks;
    private readonly ISocketFamily?[] _families = new ISocketFamily?[(int)AddressFamily.AF_MAX];

    internal SocketNetwork(SocketNetworks networks, ulong id, UserNamespace owner, NetworkStack stack)
        : base(id, owner)
    {
        _networks = networks;
        Stack = stack;
        TablesV4 = new XtTables(stack.Filter, XtLayout.V4);
        TablesV6 = new XtTables(stack.Filter, XtLayout.V6);
        Files = new NetworkFiles(this);
        Settings = new NetworkSettings(this);
    }

    /// <summary>Interfaces, routes and protocols.</summary>
    public NetworkStack Stack { get; }

    /// <summary>The home of its sockets.</summary>
    public SocketFilesystem Home => _networks.Home;

    /// <summary>The sockets that there are.</summary>
    public SocketRegistry Registry { get; } = new();

    /// <inheritdoc/>
    public override INetworkFiles Files { get; }

    /// <inheritdoc/>
    public override INetworkSettings Settings { get; }

    /// <summary>net.core.somaxconn: the most connections that may wait at a listener.</summary>
    public int MaxBacklog { get; set; } = 4096;

    /// <summary>net.ipv4.ip_unprivileged_port_start.</summary>
    public int FirstUnprivilegedPort { get; set; } = 1024;

    /// <summary>The tables of iptables.</summary>
    internal XtTables TablesV4 { get; }

    /// <summary>The tables of ip6tables.</summary>
    internal XtTables TablesV6 { get; }

    /// <summary>The number of the interface with a name; 0 if there is none.</summary>
    public int FindInterface(string name) => Stack.FindInterface(name)?.Index ?? 0;

    /// <summary>The name of the interface with a number; null if there is none.</summary>
    public string? NameOfInterface(int index) => Stack.FindInterface(index)?.Name;

    /// <summary>Adds a family.</summary>
    public void Register(AddressFamily number, ISocketFamily family) => _families[(int)number] = family;

    /// <summary>The family with a number; null (EAFNOSUPPORT) if there is none.</summary>
    public ISocketFamily? Find(int number) => (uint)number < (uint)_families.Length ? _families[number] : null;

    /// <inheritdoc/>
    public override Result<NetworkNamespace> MakeNew(UserNamespace maker) => _networks.Make(maker).TryGet(out SocketNetwork? made, out Errno errno) ? made : errno;

    /// <inheritdoc/>
    protected override void End()
    {
        Stack.End();
        _networks.OnEnded();
    }
}
