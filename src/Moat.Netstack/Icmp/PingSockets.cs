using System.Collections.Concurrent;
using Moat.Netstack.Ip;
using Moat.Netstack.Packets;
using Moat.Netstack.Sockets;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Icmp;

/// <summary>Sockets of SOCK_DGRAM and IPPROTO_ICMP, by the identifier of their echoes. Any thread.</summary>
public sealed class PingSockets
{
    private readonly ConcurrentDictionary<(ushort Identifier, bool IsV6), IPingSocket> _sockets = new();

    /// <summary>Claims an identifier.</summary>
    public bool TryAdd(ushort identifier, bool isV6, IPingSocket socket) => _sockets.TryAdd((identifier, isV6), socket);

    /// <summary>Gives an identifier back.</summary>
    public void Remove(ushort identifier, bool isV6) => _sockets.TryRemove((identifier, isV6), out _);

    internal void Deliver(Packet packet, in IpInfo info, ushort identifier)
    {
        if (_sockets.TryGetValue((identifier, !info.Source.IsV4), out IPingSocket? socket))
        {
            socket.Deliver(packet, info);
        }
        else
        {
            packet.Release();
        }
    }

    internal void OnError(in IpError error, ushort identifier, ReadOnlySpan<byte> message)
    {
        if (_sockets.TryGetValue((identifier, !error.Local.IsV4), out IPingSocket? socket))
        {
            socket.OnError(error, message);
        }
    }
}
