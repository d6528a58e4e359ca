using Moat.Netstack.Ip;
using Moat.Netstack.Packets;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Raw;

/// <summary>The raw sockets of a stack. Any thread; readers take a snapshot.</summary>
public sealed class RawSocketTable
{
    private readonly Lock _lock = new();
    private IRawSocket[] _sockets = []; // replaced under _lock

    /// <summary>Adds a socket.</summary>
    public void Add(IRawSocket socket)
    {
        lock (_lock)
        {
            Volatile.Write(ref _sockets, [.. _sockets, socket]);
        }
    }

    /// <summary>Takes a socket out.</summary>
    public void Remove(IRawSocket socket)
    {
        lock (_lock)
        {
            Volatile.Write(ref _sockets, Array.FindAll(_sockets, other => other != socket));
        }
    }

    /// <summary>Gives every socket that wants it a share of a packet, which stays the caller's and is at its transport header.</summary>
    /// <returns>Whether any did.</returns>
    internal bool Deliver(Packet packet, in IpInfo info)
    {
        bool any = false;
        foreach (IRawSocket socket in Volatile.Read(ref _sockets))
        {
            if (Matches(socket, info.Protocol, info.Source) && socket.Wants(info))
            {
                Packet share = packet.Share();
                if (!socket.IsV6)
                {
                    share.MoveTo(share.NetworkHeader);
                }

                socket.Deliver(share, info);
                any = true;
            }
        }

        return any;
    }

    internal void OnError(in IpError error, IpProtocol protocol, ReadOnlySpan<byte> payload)
    {
        foreach (IRawSocket socket in Volatile.Read(ref _sockets))
        {
            if (Matches(socket, protocol, error.Local))
            {
                socket.OnError(error, payload);
            }
        }
    }

    private static bool Matches(IRawSocket socket, IpProtocol protocol, IpAddress address) =>
        socket.IsV6 != address.IsV4 && socket.Protocol == protocol;
}
