using Moat.Netstack.Ip;
using Moat.Netstack.Packets;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Raw;

/// <summary>Who sees packets of a protocol beside its transport (raw(7)).</summary>
public interface IRawSocket
{
    /// <summary>The protocol it sees.</summary>
    IpProtocol Protocol { get; }

    /// <summary>Whether it is for IPv6.</summary>
    bool IsV6 { get; }

    /// <summary>Whether it wants a packet.</summary>
    bool Wants(in IpInfo info);

    /// <summary>A packet of its own; of IPv4 with the header (at <see cref="Packet.NetworkHeader"/>), of IPv6 without.</summary>
    void Deliver(Packet packet, in IpInfo info);

    /// <summary>An error about a packet of its protocol, of which the payload came back.</summary>
    void OnError(in IpError error, ReadOnlySpan<byte> payload);
}
