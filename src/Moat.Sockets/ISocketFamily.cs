using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Sockets;

/// <summary>One address family. Any thread.</summary>
public interface ISocketFamily
{
    /// <summary>socket(2).</summary>
    /// <param name="task">Who makes it.</param>
    /// <param name="type">The type, unchecked.</param>
    /// <param name="protocol">The protocol, unchecked.</param>
    /// <param name="flags">O_NONBLOCK or nothing.</param>
    /// <returns>ESOCKTNOSUPPORT, EPROTONOSUPPORT.</returns>
    Result<Socket> Create(GuestTask task, SocketType type, int protocol, OpenFlags flags);

    /// <summary>socketpair(2): two that are connected.</summary>
    /// <returns>As <see cref="Create"/>; EOPNOTSUPP.</returns>
    Result<(Socket First, Socket Second)> CreatePair(GuestTask task, SocketType type, int protocol, OpenFlags flags);
}
