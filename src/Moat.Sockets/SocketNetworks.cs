using Moat.Kernel;
using Moat.Kernel.Credentials;
using Moat.Kernel.Time;
using Moat.Linux;
using Moat.Netstack;
using Moat.Netstack.Interfaces;
using Moat.Netstack.Link;
using Moat.Netstack.Packets;
using Moat.Sockets.Inet;
using Moat.Sockets.Netlink;
using Moat.Sockets.PacketSockets;
using Moat.Sockets.Unix;

namespace Moat.Sockets;

/// <summary>Makes the networks of a sandbox, and holds what they share. Any thread.</summary>
public sealed class SocketNetworks : IBacklogHost
{
    /// <summary>How many there may be at a time (/proc/sys/user/max_net_namespaces).</summary>
    public const int MaxNetworks = 512;

    private const ulong FirstId = 4026531840; // that of Linux's initial one
    private const ulong LaterIds = 4_027_000_000; // away from the numbers of other namespaces

    private readonly SentryKernel _kernel;
    private readonly PacketPool _packets = new();
    private readonly UnixFamily _unix;
    private readonly Lock _lock = new(); // a leaf
    private readonly Dictionary<ulong, SocketNetwork> _networks = []; // guarded by _lock
    private readonly BacklogTimer _timer;
    private ulong _lastId = LaterIds; // guarded by _lock

    /// <summary>No networks yet.</summary>
    public SocketNetworks(SentryKernel kernel, SocketFilesystem home)
    {
        _kernel = kernel;
        Home = home;
        _unix = new UnixFamily(home);
        Backlog = new LinkBacklog(this);
        _timer = new BacklogTimer(kernel.Timers, Backlog);
    }

    /// <summary>The home of all sockets.</summary>
    public SocketFilesystem Home { get; }

    /// <summary>Held over every change of an interface, in any network (rtnl_lock).</summary>
    internal Lock LinkLock { get; } = new();

    /// <summary>What goes over virtual links.</summary>
    internal LinkBacklog Backlog { get; }

    /// <summary>The first network, which has a loopback interface that is up. The sandbox itself is its first user. Internet families are its maker's to add.</summary>
    public SocketNetwork MakeFirst(UserNamespace owner)
    {
        SocketNetwork first;
        lock (_lock)
        {
            first = Make(owner, FirstId);
        }

        first.Stack.SetUp(first.Stack.Interfaces[0], true);
        return first;
    }

    /// <summary>Another network, with all families. The caller is its first user.</summary>
    /// <returns>ENOSPC if there are too many.</returns>
    internal Result<SocketNetwork> Make(UserNamespace owner)
    {
        SocketNetwork made;
        lock (_lock)
        {
            if (_networks.Count >= MaxNetworks)
            {
                return Errno.ENOSPC;
            }

            made = Make(owner, ++_lastId);
        }

        made.Register(AddressFamily.AF_INET, new InetFamily(made, isV6: false));
        made.Register(AddressFamily.AF_INET6, new InetFamily(made, isV6: true));
        return made;
    }

    /// <summary>The network with a number, with a reference; null if there is none.</summary>
    internal SocketNetwork? Find(ulong id)
    {
        lock (_lock)
        {
            return _networks.TryGetValue(id, out SocketNetwork? found) && found.TryAddUser() ? found : null;
        }
    }

    /// <summary>A network has ended.</summary>
    internal void OnEnded(SocketNetwork ended)
    {
        SocketNetwork[] others;
        lock (_lock)
        {
            _ = _networks.Remove(ended.Id);
            others = [.. _networks.Values];
        }

        foreach (SocketNetwork other in others)
        {
            other.Forget(ended.Id);
        }
    }

    /// <inheritdoc/>
    public void RunSoon() => _timer.Arm(_kernel.Clock.MonotonicNs);

    // Under _lock.
    private SocketNetwork Make(UserNamespace owner, ulong id)
    {
        NetHost host = new(_kernel);
        NetworkStack stack = new(host, Home.Memory, _packets) { Backlog = Backlog };
        host.Stack = stack;
        _ = stack.AddInterface("lo", new LoopbackLink(), out NetworkInterface? _); // the first takes any name
        SocketNetwork made = new(this, id, owner, stack);
        made.Register(AddressFamily.AF_UNIX, _unix);
        made.Register(AddressFamily.AF_NETLINK, new NetlinkFamily(made));
        made.Register(AddressFamily.AF_PACKET, new PacketFamily(made));
        made.AddUser();
        _networks.Add(id, made);
        return made;
    }

    // Takes over from who has delivered for long enough.
    private sealed class BacklogTimer(TimerService timers, LinkBacklog backlog) : KernelTimer(timers)
    {
        protected override void OnExpired() => backlog.Run();
    }
}
