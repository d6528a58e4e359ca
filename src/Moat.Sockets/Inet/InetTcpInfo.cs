using System.Buffers.Binary;
using Moat.Netstack.Tcp;

namespace Moat.Sockets.Inet;

/// <summary><c>struct tcp_info</c> (<c>linux/tcp.h</c>), as far as the stack measures it; what it does not is zero.</summary>
internal static class InetTcpInfo
{
    private const int Length = 104; // up to tcpi_total_retrans

    /// <summary>Writes the structure, cut to the room there is.</summary>
    /// <returns>How many bytes were written.</returns>
    public static int Write(TcpSocket socket, Span<byte> value)
    {
        TcpStatus status = socket.Status;
        Span<byte> info = stackalloc byte[Length];
        info.Clear();
        info[0] = (byte)status.State;
        info[1] = status.Recovery;
        info[2] = (byte)Math.Min(status.Timeouts, byte.MaxValue);
        info[5] = (byte)((status.UsesTimestamps ? 1 : 0) | (status.UsesSack ? 2 : 0) | (status.UsesWindowScale ? 4 : 0));
        info[6] = (byte)(status.SendWindowScale | status.ReceiveWindowScale << 4);
        Put(info, 8, status.RetransmissionTimeNs / 1000);
        Put(info, 16, status.SendMss);
        Put(info, 20, status.ReceiveMss);
        Put(info, 24, status.UnacknowledgedBytes / Math.Max(status.SendMss, 1));
        Put(info, 28, status.SackedBytes / Math.Max(status.SendMss, 1));
        Put(info, 32, status.LostBytes / Math.Max(status.SendMss, 1));
        Put(info, 60, status.PathMtu);
        Put(info, 68, status.RoundTripNs / 1000);
        Put(info, 72, status.RoundTripVariationNs / 1000);
        Put(info, 76, Math.Min(status.SlowStartThreshold / Math.Max(status.SendMss, 1), int.MaxValue));
        Put(info, 80, status.CongestionWindow / Math.Max(status.SendMss, 1));
        Put(info, 84, status.SendMss);
        Put(info, 100, status.Retransmissions);
        return OptionValue.WriteBytes(info, value);
    }

    private static void Put(Span<byte> info, int offset, long value) => BinaryPrimitives.WriteUInt32LittleEndian(info[offset..], (uint)value);
}
