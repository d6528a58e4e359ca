using Moat.Kernel;
using Moat.Kernel.Credentials;
using Moat.Kernel.Namespaces;
using Moat.Linux;
using Moat.Netstack;
using Moat.Netstack.Link;
using Moat.Sockets.Inet;
using Moat.Sockets.Netfilter.Legacy;
using Moat.Sockets.Netlink;

namespace Moat.Sockets;

/// <summary>A network namespace: a stack, the address families that have sockets in it, and the sockets that there are. Any thread; families are added before it is used.</summary>
public sealed class SocketNetwork : NetworkNamespace
{
    private const int Any = -1; // NETNSA_NSID_NOT_ASSIGNED

    private readonly SocketNetworks _networks;
    private readonly Dictionary<ulong, int> _numbers = []; // guarded by itself, a leaf
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
        Devices = new InterfaceAttributes(this);
    }

    /// <summary>Interfaces, routes and protocols.</summary>
    public NetworkStack Stack { get; }

    /// <summary>The home of its sockets.</summary>
    public SocketFilesystem Home => _networks.Home;

    /// <summary>Held over every change of an interface, in any network (rtnl_lock). It stands above the locks of stacks.</summary>
    public Lock LinkLock => _networks.LinkLock;

    /// <summary>What goes over virtual links.</summary>
    public LinkBacklog Backlog => _networks.Backlog;

    /// <summary>The sockets that there are.</summary>
    public SocketRegistry Registry { get; } = new();

    /// <inheritdoc/>
    public override INetworkFiles Files { get; }

    /// <inheritdoc/>
    public override INetworkSettings Settings { get; }

    /// <inheritdoc/>
    public override INetworkSettings Devices { get; }

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

    /// <summary>The network of a stack.</summary>
    internal static SocketNetwork? Of(NetworkStack stack) => (stack.Observer as RouteProtocol)?.Network;

    /// <summary>The numbers that this network has for others. A snapshot.</summary>
    internal IReadOnlyList<int> Numbers
    {
        get
        {
            lock (_numbers)
            {
                return [.. _numbers.Values];
            }
        }
    }

    /// <summary>The number that this network has for another one; -1 for none.</summary>
    /// <param name="other">The other network.</param>
    /// <param name="mayAssign">Whether it gets one if it has none.</param>
    internal int NumberOf(SocketNetwork other, bool mayAssign)
    {
        lock (_numbers)
        {
            return _numbers.TryGetValue(other.Id, out int number) ? number : mayAssign && AssignLocked(other, Any) == Errno.None ? _numbers[other.Id] : Any;
        }
    }

    /// <summary>Gives another network a number: a certain one, or any for -1.</summary>
    /// <returns>EEXIST if it has one; ENOSPC if the number is taken.</returns>
    internal Errno Assign(SocketNetwork other, int number)
    {
        lock (_numbers)
        {
            return _numbers.ContainsKey(other.Id) ? Errno.EEXIST : AssignLocked(other, number);
        }
    }

    /// <summary>The network that a number stands for here, with a reference; null if there is none.</summary>
    internal SocketNetwork? FindByNumber(int number)
    {
        lock (_numbers)
        {
            foreach ((ulong id, int own) in _numbers)
            {
                if (own == number)
                {
                    return _networks.Find(id);
                }
            }

            return null;
        }
    }

    /// <summary>A network has ended.</summary>
    internal void Forget(ulong id)
    {
        lock (_numbers)
        {
            _ = _numbers.Remove(id);
        }
    }

    /// <inheritdoc/>
    public override Result<NetworkNamespace> MakeNew(UserNamespace maker) => _networks.Make(maker).TryGet(out SocketNetwork? made, out Errno errno) ? made : errno;

    /// <inheritdoc/>
    protected override void End()
    {
        lock (LinkLock)
        {
            Stack.End();
        }

        _networks.OnEnded(this);
    }

    private Errno AssignLocked(SocketNetwork other, int number)
    {
        if (number < 0)
        {
            number = 0;
            while (_numbers.ContainsValue(number))
            {
                number++;
            }
        }

        if (_numbers.ContainsValue(number))
        {
            return Errno.ENOSPC;
        }

        _numbers.Add(other.Id, number);
        return Errno.None;
    }
}
