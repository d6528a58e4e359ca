using System.Text;
using Moat.Control;
using Moat.Host;
using Moat.Host.Sockets;
using Moat.Host.Terminals;
using Moat.Linux;
using Moat.Oci;

namespace Moat.Runtime.Launch;

/// <summary>Makes a terminal for a process and sends its master to whoever shows it (--console-socket): one message with the descriptor.</summary>
internal static class ConsoleSocket
{
    /// <summary>Makes and sends it.</summary>
    /// <param name="path">The socket.</param>
    /// <param name="size">The size at the start, or null.</param>
    /// <returns>The slave, owned by the caller.</returns>
    /// <exception cref="RuntimeException">The host refuses.</exception>
    public static int CreateAndSend(string path, OciBox? size)
    {
        if (!PseudoTerminal.Open().TryGet(out PseudoTerminal terminal, out Errno errno))
        {
            throw new RuntimeException($"cannot make a terminal: {errno}");
        }

        if (size is { Height: > 0, Width: > 0 })
        {
            PseudoTerminal.Resize(terminal.Slave, (int)size.Height, (int)size.Width);
        }

        if (SocketPath.With(path, UnixSocket.Connect).TryGet(out int socket, out errno))
        {
            errno = UnixSocket.Send(socket, Encoding.ASCII.GetBytes(terminal.Name), [terminal.Master]);
            HostMemory.Close(socket);
        }

        HostMemory.Close(terminal.Master);
        if (errno != Errno.None)
        {
            HostMemory.Close(terminal.Slave);
            throw new RuntimeException($"console socket {path}: {ErrorText.Describe(errno)}");
        }

        return terminal.Slave;
    }
}
