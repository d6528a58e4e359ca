using Moat.Kernel;
using Moat.Linux;
using Moat.Netstack;
using Moat.Netstack.Interfaces;
using Moat.Netstack.Link;
using Moat.Netstack.Sockets;
using Moat.Netstack.Wire;
using Moat.Sentry.Network;
using Moat.Sockets.Inet;

namespace Moat.Sentry;

/// <summary>Makes the sandbox's network: loopback, up, with 127.0.0.1 and ::1, and what the container's network namespace has.</summary>
internal static class NetworkSetup
{
    /// <summary>The stack with its loopback interface.</summary>
    /// <param name="kernel">The kernel.</param>
    /// <param name="memory">What sockets hold.</param>
    public static NetworkStack Create(SentryKernel kernel, SocketMemory memory)
    {
        NetHost host = new(kernel);
        NetworkStack stack = new(host, memory);
        host.Stack = stack;
        _ = stack.AddInterface("lo", new LoopbackLink(), out NetworkInterface? loopback);
        _ = stack.AddAddress(loopback!, new InterfaceAddress(IpAddress.LoopbackV4, 8, null));
        _ = stack.AddAddress(loopback!, new InterfaceAddress(IpAddress.LoopbackV6, 128, null));
        stack.SetUp(loopback!, true);
        return stack;
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
