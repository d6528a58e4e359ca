using Moat.Netstack.Packets;

namespace Moat.Netstack.Ip;

/// <summary>A protocol above IP.</summary>
public interface ITransport
{
    /// <summary>Takes a packet that is for this machine; it begins with the transport header. No lock is held.</summary>
    void Receive(Packet packet, in IpInfo info);

    /// <summary>Hears of an error about a packet it sent.</summary>
    /// <param name="error">The error.</param>
    /// <param name="header">What the error quotes of the packet from the transport header on: at least eight bytes, not to be trusted beyond their values.</param>
    void ReceiveError(in IpError error, ReadOnlySpan<byte> header);
}
