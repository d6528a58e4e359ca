using Moat.Kernel.Credentials;
using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Sockets.Inet;

/// <summary>Who may bind to which port.</summary>
internal static class InetPorts
{
    /// <summary>Refuses low ports to those without CAP_NET_BIND_SERVICE.</summary>
    /// <returns>EACCES.</returns>
    public static Errno Check(GuestTask task, SocketNetwork network, ushort port) =>
        port == 0 || port >= network.FirstUnprivilegedPort || task.Credentials.HasCapability(Capability.CAP_NET_BIND_SERVICE) ? Errno.None : Errno.EACCES;
}
