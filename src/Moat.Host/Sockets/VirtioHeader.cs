using System.Runtime.InteropServices;

namespace Moat.Host.Sockets;

/// <summary><c>struct virtio_net_hdr</c>, which goes before each frame of a packet socket with PACKET_VNET_HDR (packet(7), <c>linux/virtio_net.h</c>): what is left to do with a frame,
/// or need not be done.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct VirtioHeader
{
    /// <summary>VIRTIO_NET_HDR_F_NEEDS_CSUM: the checksum's field holds the pseudo-header's sum.</summary>
    public const byte NeedsChecksum = 1;

    /// <summary>VIRTIO_NET_HDR_F_DATA_VALID: the checksum was verified.</summary>
    public const byte DataValid = 2;

    /// <summary>VIRTIO_NET_HDR_GSO_TCPV4.</summary>
    public const byte TcpV4 = 1;

    /// <summary>VIRTIO_NET_HDR_GSO_TCPV6.</summary>
    public const byte TcpV6 = 4;

    /// <summary>Bytes of the header.</summary>
    public const int Length = 10;

    /// <summary>VIRTIO_NET_HDR_F_*.</summary>
    public byte Flags;

    /// <summary>VIRTIO_NET_HDR_GSO_*.</summary>
    public byte SegmentationType;

    /// <summary>Bytes of all headers together, of a frame that is to be cut.</summary>
    public ushort HeaderLength;

    /// <summary>Payload bytes of each piece.</summary>
    public ushort SegmentSize;

    /// <summary>Where the sum begins.</summary>
    public ushort ChecksumStart;

    /// <summary>Where the field is, from there.</summary>
    public ushort ChecksumOffset;
}
