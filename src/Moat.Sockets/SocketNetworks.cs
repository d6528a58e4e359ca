using Moat.Kernel;
using Moat.Kernel.Credentials;
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
public sealed class SocketNetworks
{
    /// <summary>How many there may be at a time (/proc/sys/user/max_net_namespaces).</summary>
    public const int MaxNetworks = 512;

    private const ulong FirstId = 4026531840; // that of Linux's initial one
    private const ulong LaterIds = 4_027_000_000; // away from the numbers of other namespaces

    private readonly SentryKernel _kernel;
    private readonly PacketPool _packets = new();
    private readonly UnixFamily _unix;
    private int _count;
    private long _made;

    /// <summary>No networks yet.</summary>
    public SocketNetworks(SentryKernel kernel, SocketFilesystem home)
    {
        _kernel = kernel;
        Home = home;
        _unix = new UnixFamily(home);
    }

    /// <summary>The home of all sockets.</summary>
    public SocketFilesystem Home { get; }

    /// <summary>The first network, which has a loopback interface that is up. The sandbox itself is its first user. Internet families are its maker's to add.</summary>
    public SocketNetwork MakeFirst(UserNamespace owner)
    {
        SocketNetwork first = Make(owner, FirstId);
        first.Stack.SetUp(first.Stack.Interfaces[0], true);
        return first;
    }

    /// <summary>Another network, with all families. The caller is its first user.</summary>
    /// <returns>ENOSPC if there are too many.</returns>
    internal Result<SocketNetwork> Make(UserNamespace owner)
    {
        if (Interlocked.Increment(ref _count) > MaxNetworks)
        {
            OnEnded();
            return Errno.ENOSPC;
        }

        SocketNetwork made = Make(owner, LaterIds + (ulong)Interlocked.Increment(ref _made));
        made.Register(AddressFamily.AF_INET, new InetFamily(made, isV6: false));
        made.Register(AddressFamily.AF_INET6, new InetFamily(made, isV6: true));
        return made;
    }

    /// <summary>A network that <see cref="Make(UserNamespace)"/> made has ended.</summary>
    internal void OnEnded() => Interlocked.Decrement(ref _count);

    private SocketNetwork Make(UserNamespace owner, ulong id)
    {
        NetHost host = new(_kernel);
        NetworkStack stack = new(host, Home.Memory, _packets);
        host.Stack = stack;
        _ = stack.AddInterface("lo", new LoopbackLink(), out NetworkInterface? _); // the first takes any name
        SocketNetwork made = new(this, id, owner, stack);
        made.Register(AddressFamily.AF_UNIX, _unix);
        made.Register(AddressFamily.AF_NETLINK, new NetlinkFamily(made));
        made.Register(AddressFamily.AF_PACKET, new PacketFamily(made));
        made.AddUser();
        return made;
    }
}
