using Moat.Netstack.Packets;
using Moat.Netstack.Sockets;

namespace Moat.Netstack.Tcp;

/// <summary>Sending through a socket: its callers take turns, and copy their memory under the turn alone, never under the connection's lock.</summary>
internal sealed class TcpSendTurn(TcpLayer layer)
{
    private readonly Lock _turn = new();
    private Chunk? _tail; // guarded by _turn, held during one call: memory that the next bytes go to
    private int _tailUsed; // guarded by _turn

    /// <summary>Sends what the buffer has room for.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="source">The caller's memory.</param>
    /// <param name="more">MSG_MORE: more follows at once.</param>
    /// <param name="isUrgent">MSG_OOB: the last byte is urgent.</param>
    /// <param name="sent">How much was taken.</param>
    /// <returns>WouldBlock if nothing was; Fault, BrokenPipe, or the connection's error.</returns>
    public NetError Send<TSource>(TcpConnection connection, ref TSource source, bool more, bool isUrgent, out long sent)
        where TSource : struct, IByteSource, allows ref struct
    {
        sent = 0;
        NetError error = NetError.None;
        lock (_turn)
        {
            while (source.Length > 0)
            {
                error = Reserve(connection, source.Length, out Span<byte> room);
                if (error != NetError.None)
                {
                    break;
                }

                int copied = source.CopyTo(room);
                if (copied > 0)
                {
                    Commit(connection, copied, more, isUrgent && source.Length == 0);
                    sent += copied;
                }

                if (copied < room.Length)
                {
                    error = NetError.Fault;
                    break;
                }
            }

            if (source.Length == 0 && sent == 0)
            {
                error = CheckSend(connection);
            }

            // Between two calls the queue alone holds memory, and none once everything is acknowledged: there may be very many idle connections.
            _tail?.Release();
            _tail = null;
        }

        if (sent > 0)
        {
            layer.Stack.Flush();
            return NetError.None;
        }

        return error;
    }

    private static NetError CheckSend(TcpConnection connection)
    {
        lock (connection.Lock)
        {
            return SendErrorOf(connection);
        }
    }

    // Under the connection's lock.
    private static NetError SendErrorOf(TcpConnection connection)
    {
        if (connection.Error != NetError.None)
        {
            return connection.TakeError();
        }

        return connection.State switch
        {
            TcpState.SynSent or TcpState.SynReceived => NetError.WouldBlock,
            TcpState.Established or TcpState.CloseWait when !connection.HasShutDownSend => NetError.None,
            _ => NetError.BrokenPipe,
        };
    }

    // Room in the buffer, as memory at the end of the current chunk or of a new one.
    private NetError Reserve(TcpConnection connection, long wanted, out Span<byte> room)
    {
        room = default;
        long free;
        lock (connection.Lock)
        {
            NetError error = SendErrorOf(connection);
            if (error != NetError.None)
            {
                return error;
            }

            GrowBuffer(connection);
            long limit = connection.Options.SendBuffer;
            connection.LacksMemory = layer.Stack.Memory.IsShort;
            if (connection.LacksMemory)
            {
                limit = Math.Min(limit, SocketMemory.GuaranteedBytes);
            }

            free = connection.Sender.HasUnsentRoom(0) ? limit - connection.Sender.Queue.Length : 0;
            if (_tail is null && free > 0 && connection.Sender.Queue.TryGetRoom(out _tail, out _tailUsed))
            {
                _tail!.AddReference();
            }
        }

        if (free <= 0)
        {
            return NetError.WouldBlock;
        }

        if (_tail is null || _tailUsed == _tail.Bytes.Length || IsTooSmallFor(wanted))
        {
            _tail?.Release();
            _tail = layer.Stack.Pool.RentChunk(Math.Min(free, wanted));
            _tailUsed = 0;
        }

        room = _tail.Bytes.AsSpan(_tailUsed, (int)Math.Min(Math.Min(free, wanted), _tail.Bytes.Length - _tailUsed));
        return NetError.None;
    }

    private void Commit(TcpConnection connection, int length, bool more, bool isUrgent)
    {
        lock (connection.Lock)
        {
            if (connection.State is TcpState.Closed)
            {
                return; // it ended meanwhile: the bytes go where those in flight went
            }

            connection.Sender.Queue.Append(new ChunkSlice(_tail!, _tailUsed, length));
            _tailUsed += length;
            if (isUrgent)
            {
                connection.Sender.Urgent.Set(connection.Sender.Queue.End);
            }

            connection.Partials.MoreFollows = more;
            connection.Output(layer.Stack.Host.NowNs);
        }
    }

    // The rest of a small chunk is not worth a segment of its own in front of much more.
    private bool IsTooSmallFor(long wanted)
    {
        const int WorthASegment = 1024;
        int left = _tail!.Bytes.Length - _tailUsed;
        return left < WorthASegment && left < wanted;
    }

    // The buffer holds two congestion windows, so that the window is always full.
    private void GrowBuffer(TcpConnection connection)
    {
        if (!connection.Options.SendBufferIsFixed)
        {
            long wanted = 2L * connection.Sender.Congestion.Window;
            connection.Options.SendBuffer = Math.Clamp(Math.Max(connection.Options.SendBuffer, wanted), TcpLimits.DefaultSendBuffer, TcpLimits.MaxSendBuffer);
        }
    }
}
