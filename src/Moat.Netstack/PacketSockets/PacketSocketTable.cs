using Moat.Netstack.Interfaces;
using Moat.Netstack.Packets;

namespace Moat.Netstack.PacketSockets;

/// <summary>The packet sockets of a stack. Any thread; with none, a packet pays for one read.</summary>
public sealed class PacketSocketTable
{
    private readonly Lock _lock = new();
    private IPacketSocket[] _sockets = []; // replaced under _lock

    /// <summary>Adds a socket.</summary>
    public void Add(IPacketSocket socket)
    {
        lock (_lock)
        {
            Volatile.Write(ref _sockets, [.. _sockets, socket]);
        }
    }

    /// <summary>Takes a socket out.</summary>
    public void Remove(IPacketSocket socket)
    {
        lock (_lock)
        {
            Volatile.Write(ref _sockets, Array.FindAll(_sockets, other => other != socket));
        }
    }

    internal void Tap(Packet packet, NetworkInterface owner, bool isOutgoing)
    {
        foreach (IPacketSocket socket in Volatile.Read(ref _sockets))
        {
            socket.Tap(packet, owner, isOutgoing);
        }
    }
}
