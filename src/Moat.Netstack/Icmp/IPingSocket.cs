using Moat.Netstack.Ip;
using Moat.Netstack.Packets;

namespace Moat.Netstack.Icmp;

/// <summary>Who waits for answers to echoes.</summary>
public interface IPingSocket
{
    /// <summary>An answer, which begins with the ICMP header; the packet is the socket's.</summary>
    void Deliver(Packet packet, in IpInfo info);

    /// <summary>An error about an echo, which came back with it.</summary>
    void OnError(in IpError error, ReadOnlySpan<byte> message);
}
