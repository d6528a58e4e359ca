using Moat.Netstack.Packets;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Link;

/// <summary>A link that leads nowhere (dummy): for addresses that belong to no place.</summary>
public sealed class DummyLink(EthernetAddress address) : VirtualLink(address)
{
    /// <inheritdoc/>
    public override string Kind => "dummy";

    /// <inheritdoc/>
    public override void Transmit(Packet packet) => packet.Release();
}
