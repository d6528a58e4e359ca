using Moat.Kernel;
using Moat.Netstack;
using Moat.Netstack.Interfaces;
using Moat.Netstack.Link;
using Moat.Netstack.Sockets;
using Moat.Netstack.Wire;
using Moat.Sockets.Inet;

namespace Moat.Sentry;

/// <summary>Makes the sandbox's own network: loopback, up, with 127.0.0.1 and ::1.</summary>
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
        loopback!.IsUp = true;
        return stack;
    }
}
