using Moat.Netstack.Icmp;
using Moat.Netstack.Ip;
using Moat.Netstack.Packets;
using Moat.Netstack.Sockets;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Raw;

/// <summary>A raw socket (raw(7)): sees every packet of its protocol, and sends what it is given behind an IP header of the stack's.</summary>
public sealed class RawSocket : MessageSocket, IRawSocket
{
    /// <summary>A new socket, which receives from now on.</summary>
    public RawSocket(NetworkStack stack, bool isV6, IpProtocol protocol, ISocketObserver observer)
        : base(stack, isV6, protocol, observer) => stack.RawSockets.Add(this);

    /// <summary>ICMP_FILTER: a bit for each of the first 32 types of ICMP that is not wanted.</summary>
    public uint IcmpFilter { get; set; }

    /// <inheritdoc/>
    public bool Wants(in IpInfo info) => Accepts(info);

    /// <inheritdoc/>
    public void Deliver(Packet packet, in IpInfo info)
    {
        const int FilteredTypes = 32;
        if (Protocol == IpProtocol.Icmp && IcmpFilter != 0 && packet.LinearFrom(packet.TransportHeader) is { IsEmpty: false } message && message[0] < FilteredTypes && (IcmpFilter >> message[0] & 1) != 0)
        {
            packet.Release();
            return;
        }

        Enqueue(packet, info);
    }

    /// <inheritdoc/>
    protected override NetError Prepare(Packet packet, IpAddress source, IpAddress destination)
    {
        if (Protocol == IpProtocol.IcmpV6)
        {
            if (packet.Length < IcmpHeader.Length)
            {
                return NetError.Invalid;
            }

            IcmpMessages.Seal(packet, source, destination); // RFC 3542 section 3.1
        }

        return NetError.None;
    }

    /// <inheritdoc/>
    protected override void Leave() => Stack.RawSockets.Remove(this);
}
