using Moat.Linux;

namespace Moat.Sockets.Netlink;

/// <summary>The netlink sockets of a network by protocol and port. Any thread.</summary>
internal sealed class NetlinkPorts
{
    private const uint FirstAutomaticPort = uint.MaxValue - 4096;

    private readonly Lock _lock = new();
    private readonly Dictionary<(int Protocol, uint Port), NetlinkSocket> _ports = []; // guarded by _lock

    /// <summary>Gives a socket a port.</summary>
    /// <param name="socket">The socket.</param>
    /// <param name="port">Which.</param>
    /// <returns>EADDRINUSE.</returns>
    public Errno Claim(NetlinkSocket socket, uint port)
    {
        lock (_lock)
        {
            return _ports.TryAdd((socket.Protocol, port), socket) ? Errno.None : Errno.EADDRINUSE;
        }
    }

    /// <summary>Gives a socket a port of the kernel's choice: the process's number if it is free.</summary>
    /// <returns>The port.</returns>
    public uint ClaimAny(NetlinkSocket socket, int pid)
    {
        lock (_lock)
        {
            uint port = (uint)pid;
            uint next = FirstAutomaticPort;
            while (!_ports.TryAdd((socket.Protocol, port), socket))
            {
                port = next--;
            }

            return port;
        }
    }

    /// <summary>Gives a port back.</summary>
    public void Release(NetlinkSocket socket, uint port)
    {
        lock (_lock)
        {
            _ = _ports.Remove((socket.Protocol, port));
        }
    }

    /// <summary>The socket with a port, or null.</summary>
    public NetlinkSocket? Find(int protocol, uint port)
    {
        lock (_lock)
        {
            return _ports.GetValueOrDefault((protocol, port));
        }
    }

    /// <summary>Whether anybody would get what is sent to a group.</summary>
    public bool HasMembers(int protocol, int group)
    {
        lock (_lock)
        {
            foreach (NetlinkSocket socket in _ports.Values)
            {
                if (socket.Protocol == protocol && socket.IsMember(group))
                {
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>Gives a datagram to the members of a group.</summary>
    /// <param name="protocol">The protocol.</param>
    /// <param name="message">The datagram.</param>
    /// <param name="except">Who does not get it, or null.</param>
    public void Multicast(int protocol, NetlinkMessage message, NetlinkSocket? except)
    {
        List<NetlinkSocket>? members = null;
        lock (_lock)
        {
            foreach (NetlinkSocket socket in _ports.Values)
            {
                if (socket != except && socket.Protocol == protocol && socket.IsMember(message.Group))
                {
                    (members ??= []).Add(socket);
                }
            }
        }

        foreach (NetlinkSocket member in members ?? [])
        {
            member.Deliver(message);
        }
    }
}
