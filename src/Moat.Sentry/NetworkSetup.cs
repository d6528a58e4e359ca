using Moat.Kernel.Credentials;
using Moat.Linux;
using Moat.Netstack;
using Moat.Sentry.Network;
using Moat.Sockets;
using Moat.Sockets.Inet;

namespace Moat.Sentry;

/// <summary>Makes the sandbox's network: loopback, and what the container's network namespace has.</summary>
internal static class NetworkSetup
{
    /// <summary>The sandbox's network, with loopback.</summary>
    /// <param name="networks">Makes it.</param>
    /// <param name="owner">The user namespace it belongs to.</param>
    /// <param name="poller">Waits for the host's sockets, where the internet is the host's (--network=host); otherwise null.</param>
    public static SocketNetwork Create(SocketNetworks networks, UserNamespace owner, PassthroughPoller? poller)
    {
        SocketNetwork network = networks.MakeFirst(owner);
        foreach (AddressFamily family in (ReadOnlySpan<AddressFamily>)[AddressFamily.AF_INET, AddressFamily.AF_INET6])
        {
            network.Register(family, poller is not null ? new PassthroughFamily(network, poller, family) : new InetFamily(network, isV6: family == AddressFamily.AF_INET6));
        }

        return network;
    }

    /// <summary>Gives the stack the interfaces of the host for show: sockets do not use it (--network=host).</summary>
    /// <param name="stack">The stack.</param>
    /// <param name="changes">A socket of NETLINK_ROUTE that is told of changes.</param>
    /// <param name="log">The log.</param>
    /// <returns>What the host's kernel refuses.</returns>
    public static Errno Show(NetworkStack stack, int changes, DebugLog log)
    {
        HostNetwork network = new(changes, stack, null, log);
        Errno errno = network.Load();
        if (errno == Errno.None)
        {
            network.Follow();
        }

        return errno;
    }

    /// <summary>Gives the stack the interfaces of the container's network namespace.</summary>
    /// <param name="stack">The stack.</param>
    /// <param name="sockets">What <see cref="Control.ControlMethod.Network"/> says; the stack's from now on.</param>
    /// <param name="log">The log.</param>
    /// <returns>What the host's kernel refuses.</returns>
    public static Errno TakeOver(NetworkStack stack, IReadOnlyList<int> sockets, DebugLog log)
    {
        PacketPort port = new(sockets[0], stack, log);
        HostNetwork network = new(sockets[1], stack, port, log);
        Errno errno = network.Load();
        if (errno != Errno.None)
        {
            return errno;
        }

        if (sockets.Count > 3)
        {
            new EngineResolver(sockets[3], stack, log).Start();
        }

        port.Start();
        network.Follow();
        return Errno.None;
    }
}
