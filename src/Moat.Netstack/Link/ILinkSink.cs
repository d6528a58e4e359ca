using Moat.Netstack.Packets;

namespace Moat.Netstack.Link;

/// <summary>Takes what a link receives.</summary>
public interface ILinkSink
{
    /// <summary>A packet arrived, beginning with the link-layer header if the link has one; the sink owns it now. Any thread, with no lock of the stack held.</summary>
    void Deliver(Packet packet);

    /// <summary>Sends what deliveries have caused. With no lock held.</summary>
    void Flush();
}
