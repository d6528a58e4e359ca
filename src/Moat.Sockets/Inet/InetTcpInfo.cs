using System.Buffers.Binary;
using Moat.Netstack.Tcp;

namespace Moat.Sockets.Inet;

/// <summary><c>struct tcp_info</c> (<c>linux/tcp.h</c>), as far as the stack measures it; what it does not is zero.</summary>
internal static class InetTcpInfo
{
    /// <summary>Bytes of it: up to tcpi_total_rto_time.</summary>
    public const int Length = 248;

    private const long MicrosecondNs = 1000;
    private const long MillisecondNs = 1_000_000;

    /// <summary>Writes the structure, cut to the room there is.</summary>
    /// <returns>How many bytes were written.</returns>
    public static int Write(TcpSocket socket, Span<byte> value)
    {
        Span<byte> info = stackalloc byte[Length];
        Fill(socket.Status, info);
        return OptionValue.WriteBytes(info, value);
    }

    /// <summary>Writes the structure.</summary>
    /// <param name="status">What is known of the connection.</param>
    /// <param name="info"><see cref="Length"/> bytes.</param>
    public static void Fill(in TcpStatus status, Span<byte> info)
    {
        info.Clear();
        int segment = Math.Max(status.SendMss, 1);
        info[0] = (byte)status.State;
        info[1] = status.Recovery;
        info[2] = (byte)Math.Min(status.Timeouts, byte.MaxValue);
        info[5] = (byte)((status.UsesTimestamps ? 1 : 0) | (status.UsesSack ? 2 : 0) | (status.UsesWindowScale ? 4 : 0));
        info[6] = (byte)(status.SendWindowScale | status.ReceiveWindowScale << 4);
        Put(info, 8, status.RetransmissionTimeNs / MicrosecondNs);
        Put(info, 16, status.SendMss);
        Put(info, 20, status.ReceiveMss);
        Put(info, 24, SegmentsOf(status.UnacknowledgedBytes, segment));
        Put(info, 28, SegmentsOf(status.SackedBytes, segment));
        Put(info, 32, SegmentsOf(status.LostBytes, segment));
        Put(info, 44, status.SinceSentNs / MillisecondNs);
        Put(info, 52, status.SinceReceivedNs / MillisecondNs);
        Put(info, 56, status.SinceReceivedNs / MillisecondNs);
        Put(info, 60, status.PathMtu);
        Put(info, 68, status.RoundTripNs / MicrosecondNs);
        Put(info, 72, status.RoundTripVariationNs / MicrosecondNs);
        Put(info, 76, Math.Min(status.SlowStartThreshold / segment, int.MaxValue));
        Put(info, 80, status.CongestionWindow / segment);
        Put(info, 84, status.SendMss);
        Put(info, 88, 3); // tcpi_reordering: RACK starts there
        Put(info, 100, status.Retransmissions);
        PutLong(info, 120, status.Counts.BytesAcknowledged);
        PutLong(info, 128, status.Counts.BytesReceived);
        Put(info, 136, status.Counts.SegmentsOut);
        Put(info, 140, status.Counts.SegmentsIn);
        Put(info, 144, status.UnsentBytes);
        Put(info, 148, status.MinRoundTripNs / MicrosecondNs);
        Put(info, 152, status.Counts.DataSegmentsIn);
        Put(info, 156, status.Counts.DataSegmentsOut);
        PutLong(info, 200, status.Counts.BytesSent);
        PutLong(info, 208, status.Counts.BytesRetransmitted);
        Put(info, 228, status.SendWindow);
        Put(info, 232, status.ReceiveWindow);
        BinaryPrimitives.WriteUInt16LittleEndian(info[240..], (ushort)status.Counts.Timeouts);
        BinaryPrimitives.WriteUInt16LittleEndian(info[242..], (ushort)status.Counts.TimeoutRecoveries);
    }

    private static long SegmentsOf(long bytes, int segment) => (bytes + segment - 1) / segment;

    private static void Put(Span<byte> info, int offset, long value) => BinaryPrimitives.WriteUInt32LittleEndian(info[offset..], (uint)value);

    private static void PutLong(Span<byte> info, int offset, long value) => BinaryPrimitives.WriteInt64LittleEndian(info[offset..], value);
}
