using System.Buffers.Binary;
using Moat.Netstack.Interfaces;
using Moat.Netstack.Ip;
using Moat.Netstack.Packets;
using Moat.Netstack.Routing;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Filter;

/// <summary>A packet at a hook: it begins with its IP header and is whole, not a fragment.</summary>
public ref struct FilterPacket
{
    private FilterRegisters _registers;

    /// <summary>The stack.</summary>
    public required NetworkStack Stack { get; init; }

    /// <summary>The packet.</summary>
    public required Packet Packet { get; init; }

    /// <summary>Where it is.</summary>
    public FilterHook Hook { get; set; }

    /// <summary>Where it came in; null if this machine sends it.</summary>
    public NetworkInterface? Input { get; set; }

    /// <summary>Where it goes out; null if that is not decided.</summary>
    public NetworkInterface? Output { get; set; }

    /// <summary>From whom.</summary>
    public required IpAddress Source { get; set; }

    /// <summary>To whom.</summary>
    public required IpAddress Destination { get; set; }

    /// <summary>What it carries.</summary>
    public required IpProtocol Protocol { get; init; }

    /// <summary>Where that begins, from the IP header on.</summary>
    public required int TransportOffset { get; init; }

    /// <summary>The chain that a verdict leads to.</summary>
    public FilterChain? Target { get; set; }

    /// <summary>Whether it is IPv6.</summary>
    public readonly bool IsV6 => !Source.IsV4;

    /// <summary>Its bytes.</summary>
    public readonly int Length => Packet.Length;

    /// <summary>The words of the rule that is evaluated.</summary>
    [System.Diagnostics.CodeAnalysis.UnscopedRef]
    public ref FilterRegisters Registers => ref _registers;

    /// <summary>Reads bytes from an offset behind the IP header's begin on.</summary>
    /// <returns>False if there are not so many.</returns>
    public readonly bool TryRead(int offset, Span<byte> bytes) => offset >= 0 && Packet.CopyTo(offset, bytes) == bytes.Length;

    /// <summary>Reads the ports of TCP, UDP and what is alike.</summary>
    /// <returns>False if there are none.</returns>
    public readonly bool TryReadPorts(out ushort source, out ushort destination)
    {
        Span<byte> bytes = stackalloc byte[4];
        bool isRead = HasPorts(Protocol) && TryRead(TransportOffset, bytes);
        source = isRead ? BinaryPrimitives.ReadUInt16BigEndian(bytes) : (ushort)0;
        destination = isRead ? BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]) : (ushort)0;
        return isRead;
    }

    /// <summary>Whether a protocol's header begins with two ports.</summary>
    public static bool HasPorts(IpProtocol protocol) => protocol is IpProtocol.Tcp or IpProtocol.Udp;

    /// <summary>The view for a transport or an ICMP error.</summary>
    public readonly IpInfo ToInfo(RouteKind kind)
    {
        ReadOnlySpan<byte> header = Packet.Linear;
        return new IpInfo
        {
            Source = Source,
            Destination = Destination,
            Protocol = Protocol,
            TimeToLive = header[IsV6 ? 7 : 8],
            TypeOfService = IsV6 ? (byte)(BinaryPrimitives.ReadUInt16BigEndian(header) >> 4) : header[1],
            Interface = (Input ?? Output)!,
            Kind = kind,
        };
    }
}
