using Moat.Netstack.Packets;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Link;

/// <summary>What carries frames: loopback, a packet socket of the host, a TUN device, one end of a virtual pair.</summary>
public interface ILink
{
    /// <summary>Its link-layer address; zero if frames have no link-layer header.</summary>
    EthernetAddress Address { get; }

    /// <summary>The largest IP packet it carries.</summary>
    int Mtu { get; }

    /// <summary>What it does for the stack.</summary>
    LinkFeatures Features { get; }

    /// <summary>Says where to deliver what arrives; called once, before anything else.</summary>
    void Attach(ILinkSink sink);

    /// <summary>Sends a packet, which begins with the link-layer header if there is one, and releases it. Never blocks: what cannot be sent is dropped and counted by the link.</summary>
    void Transmit(Packet packet);

    /// <summary>Sends what <see cref="Transmit"/> gathered, if the link works in batches. Called when no lock of the stack is held.</summary>
    void Flush();
}
