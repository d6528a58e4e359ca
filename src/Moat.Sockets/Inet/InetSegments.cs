using Moat.Kernel.Vfs;
using Moat.Linux;
using Moat.Netstack;
using Moat.Netstack.Sockets;
using Moat.Netstack.Udp;
using Moat.Netstack.Wire;

namespace Moat.Sockets.Inet;

/// <summary>Bytes of one write that leave as several datagrams of one size (UDP_SEGMENT, udp(7)); the last may be shorter.</summary>
internal static class InetSegments
{
    private const int MaxCount = 128; // UDP_MAX_SEGMENTS
    private const int MaxBytes = 65507;

    /// <summary>Sends them.</summary>
    /// <param name="socket">The socket.</param>
    /// <param name="bytes">More than one datagram's.</param>
    /// <param name="destination">Where to, or null for the connected end.</param>
    /// <param name="control">What the control messages want.</param>
    /// <param name="size">The payload of each datagram.</param>
    /// <returns>How many bytes; EINVAL if a datagram would not fit into a packet, if there are too many, or if they would have no checksum.</returns>
    public static SyscallResult Send(UdpSocket socket, ReadOnlySpan<byte> bytes, IpEndpoint? destination, in DatagramControl control, int size)
    {
        if (bytes.Length > MaxBytes)
        {
            return Errno.EMSGSIZE;
        }

        NetError error = socket.CheckSend(destination, control, out int room);
        if (error != NetError.None)
        {
            return error.ToErrno();
        }

        if (size > room || bytes.Length > MaxCount * size || socket.SendsNoChecksum || socket.SendsNoChecksumV6)
        {
            return Errno.EINVAL;
        }

        for (int start = 0; start < bytes.Length && error == NetError.None; start += size)
        {
            SpanSource segment = new(bytes.Slice(start, Math.Min(size, bytes.Length - start)));
            error = socket.Send(ref segment, destination, control, out _);
        }

        return error == NetError.None ? bytes.Length : error.ToErrno();
    }
}
