using Moat.Netstack.Ip;
using Moat.Netstack.Packets;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Multicast;

/// <summary>IGMP as a host takes it: queries about its groups.</summary>
internal sealed class IgmpLayer : ITransport
{
    /// <summary>Of a stack.</summary>
    public IgmpLayer(NetworkStack stack) => stack.Register(IpProtocol.Igmp, this);

    /// <inheritdoc/>
    public void Receive(Packet packet, in IpInfo info)
    {
        InternetChecksum checksum = default;
        packet.AddTo(ref checksum, 0);
        if (info.Source.IsV4 && checksum.Value == 0)
        {
            info.Interface.Groups.Reports?.ReceiveIgmp(packet.Linear, info);
        }

        packet.Release();
    }

    /// <inheritdoc/>
    public void ReceiveError(in IpError error, ReadOnlySpan<byte> header)
    {
    }
}
