using Moat.Kernel.Credentials;
using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Sockets.Inet;

/// <summary>Who may bind to which port.</summary>
internal static class InetPorts
{
    private const ushort FirstUnprivileged = 1024; // net.ipv4.ip_unprivileged_port_start

    /// <summary>Refuses low ports to those without CAP_NET_BIND_SERVICE.</summary>
    /// <returns>EACCES.</returns>
    public static Errno Check(GuestTask task, ushort port) =>
        port is 0 or >= FirstUnprivileged || task.Credentials.HasCapability(Capability.CAP_NET_BIND_SERVICE) ? Errno.None : Errno.EACCES;
}
