using Moat.Netstack.Packets;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Link;

/// <summary>What carries frames: loopback, a packet socket of the host, a TUN device, one end of a virtual pair.</summary>
public interface ILink
{
    /// <summary>Its link-layer address; zero if frames have no link-layer header.</summary>
    EthernetAddress Address { get; }

    /// <summary>The largest IP packet that it carries unless somebody says otherwise.</summary>
    int Mtu { get; }

    /// <summary>The largest IP packet that it can be made to carry.</summary>
    int MaxMtu => Mtu;

    /// <summary>What it does for the stack.</summary>
    LinkFeatures Features { get; }

    /// <summary>The name that rtnetlink(7) has for its kind (IFLA_INFO_KIND), if programs can make such links; otherwise null.</summary>
    string? Kind => null;

    /// <summary>Whether there is somebody at the other end.</summary>
    bool HasCarrier => true;

    /// <summary>Says where to deliver what arrives; called before anything else, and again when the link moves to another stack.</summary>
    void Attach(ILinkSink sink);

    /// <summary>Sends a packet, which begins with the link-layer header if there is one, and releases it. Never blocks: what cannot be sent is dropped and counted by the link.</summary>
    void Transmit(Packet packet);

    /// <summary>Sends what <see cref="Transmit"/> gathered, if the link works in batches. Called when no lock of the stack is held.</summary>
    void Flush();

    /// <summary>Gives it another link-layer address.</summary>
    /// <returns>False if that is not for programs to say.</returns>
    bool TrySetAddress(EthernetAddress address) => false;

    /// <summary>Its interface has been taken away for good.</summary>
    void Close()
    {
    }
}
