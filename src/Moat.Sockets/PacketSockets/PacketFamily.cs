using System.Buffers.Binary;
using Moat.Kernel.Credentials;
using Moat.Kernel.Tasks;
using Moat.Linux;
using Moat.Netstack;

namespace Moat.Sockets.PacketSockets;

/// <summary>AF_PACKET (packet(7)): makes sockets that see and send the frames of a network's interfaces.</summary>
public sealed class PacketFamily(SocketNetwork network) : ISocketFamily
{
    /// <summary>The network that the sockets are in.</summary>
    internal SocketNetwork Network => network;

    /// <summary>The home of the sockets.</summary>
    internal SocketFilesystem Home => network.Home;

    /// <summary>The network.</summary>
    internal NetworkStack Stack => network.Stack;

    /// <inheritdoc/>
    public Result<Socket> Create(GuestTask task, SocketType type, int protocol, OpenFlags flags)
    {
        if (!task.Credentials.HasCapability(Capability.CAP_NET_RAW))
        {
            return Errno.EPERM;
        }

        return type is SocketType.SOCK_RAW or SocketType.SOCK_DGRAM
            ? new PacketSocket(this, task, type, BinaryPrimitives.ReverseEndianness((ushort)protocol), flags) : Errno.ESOCKTNOSUPPORT;
    }

    /// <inheritdoc/>
    public Result<(Socket First, Socket Second)> CreatePair(GuestTask task, SocketType type, int protocol, OpenFlags flags) => Errno.EOPNOTSUPP;
}
