using System.Buffers.Binary;
using Moat.Netstack.Icmp;
using Moat.Netstack.Ip;
using Moat.Netstack.Packets;
using Moat.Netstack.Sockets;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Raw;

/// <summary>A raw socket (raw(7)): sees every packet of its protocol, and sends what it is given behind an IP header of the stack's.</summary>
public sealed class RawSocket : MessageSocket, IRawSocket
{
    /// <summary>Bytes of ICMP6_FILTER.</summary>
    public const int IcmpV6FilterLength = 32;

    private readonly byte[] _icmpV6Filter = new byte[IcmpV6FilterLength];

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
        if (packet.LinearFrom(packet.TransportHeader) is { IsEmpty: false } message && IsFiltered(message[0]))
        {
            packet.Release();
            return;
        }

        Enqueue(packet, info);
    }

    /// <summary>ICMP6_FILTER: a bit for each type of ICMPv6 that is not wanted (RFC 3542 section 3.2); a short value changes the first types.</summary>
    public void SetIcmpV6Filter(ReadOnlySpan<byte> bits) => bits[..Math.Min(bits.Length, IcmpV6FilterLength)].CopyTo(_icmpV6Filter);

    /// <inheritdoc/>
    protected override bool IncludesHeader => Protocol == IpProtocol.Raw || (!IsV6 && (Options.Flags & IpFlags.IncludesHeader) != 0);

    /// <inheritdoc/>
    protected override NetError Prepare(Packet packet, IpAddress source, IpAddress destination)
    {
        if (IncludesHeader)
        {
            return PrepareHeader(packet.Linear, source);
        }

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

    // Of the header that the program has written, Linux fills in the length and the checksum, and the source if it is missing (raw(7)).
    private NetError PrepareHeader(Span<byte> header, IpAddress source)
    {
        const int Source = 12;
        const int Checksum = 10;
        if (IsV6)
        {
            return header.Length < Ipv6Header.Length ? NetError.Invalid : NetError.None;
        }

        int length = header.Length < Ipv4Header.MinLength ? 0 : (header[0] & 0xf) * 4;
        if (length < Ipv4Header.MinLength || length > header.Length)
        {
            return NetError.Invalid;
        }

        BinaryPrimitives.WriteUInt16BigEndian(header[2..], (ushort)header.Length);
        if (header.Slice(Source, 4).IndexOfAnyExcept((byte)0) < 0)
        {
            source.WriteTo(header[Source..]);
        }

        header[Checksum..(Checksum + 2)].Clear();
        BinaryPrimitives.WriteUInt16BigEndian(header[Checksum..], InternetChecksum.Of(header[..length]));
        return NetError.None;
    }

    private bool IsFiltered(byte type)
    {
        const int FilteredTypes = 32;
        return Protocol switch
        {
            IpProtocol.Icmp => type < FilteredTypes && (IcmpFilter >> type & 1) != 0,
            IpProtocol.IcmpV6 => (_icmpV6Filter[type >> 3] >> (type & 7) & 1) != 0,
            _ => false,
        };
    }
}
