using Moat.Netstack.Packets;
using Moat.Netstack.Sockets;

namespace Moat.Netstack.Tcp;

/// <summary>Receiving through a socket: its callers take turns, and copy into their memory under the turn alone, never under the connection's lock.</summary>
internal sealed class TcpReceiveTurn(TcpLayer layer)
{
    private readonly Lock _turn = new();

    /// <summary>shutdown(2) with SHUT_RD: what has come can still be read, and then the stream ends.</summary>
    public bool HasShutDown { get; set; }

    /// <summary>Whether the connection has stood: a closed one ends the stream, one that failed does not.</summary>
    public bool WasConnected { get; set; }

    /// <summary>Receives what is there.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="sink">The caller's memory.</param>
    /// <param name="peek">MSG_PEEK: leaves it.</param>
    /// <param name="received">How much; 0 with None is the end of the stream.</param>
    /// <returns>WouldBlock; Fault, or the connection's error.</returns>
    public NetError Receive<TSink>(TcpConnection connection, ref TSink sink, bool peek, out long received)
        where TSink : struct, IByteSink, allows ref struct
    {
        received = 0;
        NetError error = NetError.None;
        lock (_turn)
        {
            int skip = 0;
            while (sink.Length > 0)
            {
                Packet? packet;
                int limit;
                lock (connection.Lock)
                {
                    if (connection.Urgent.TakeDropped() is > 0 and int dropped)
                    {
                        connection.OnConsumed(dropped);
                    }

                    if (connection.Receiver.AvailableBytes <= skip)
                    {
                        error = received > 0 ? NetError.None : EndOf(connection);
                        break;
                    }

                    if (connection.Urgent.OnRead(connection.Receiver.ReadPosition + skip, received > 0, out limit))
                    {
                        skip += PassOver(connection, peek);
                        continue;
                    }

                    if (limit == 0)
                    {
                        break;
                    }

                    packet = connection.Receiver.First;
                }

                // Only this turn takes from the queue: the packet stays as it is while it is copied.
                int offset = skip;
                while (packet is not null && offset >= packet.Length)
                {
                    offset -= packet.Length;
                    packet = packet.Next;
                }

                int wanted = Math.Min(packet!.Length - offset, limit);
                int copied = CopyOut(packet, offset, wanted, ref sink);
                received += copied;
                if (peek)
                {
                    skip += copied;
                }
                else if (copied > 0)
                {
                    lock (connection.Lock)
                    {
                        connection.OnConsumed(copied);
                    }
                }

                if (copied < wanted && !peek && sink.Length > 0)
                {
                    error = received > 0 ? NetError.None : NetError.Fault;
                    break;
                }
            }
        }

        if (received > 0 && !peek)
        {
            layer.Stack.Flush();
        }

        return error;
    }

    /// <summary>The socket leaves a connection: nobody reads from it now or later.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="abort">Whether the peer gets a reset.</param>
    public void Close(TcpConnection connection, bool abort)
    {
        lock (_turn)
        {
            lock (connection.Lock)
            {
                connection.Close(abort, layer.Stack.Host.NowNs);
                connection.Receiver.Clear();
            }
        }
    }

    /// <summary>Receives the urgent byte.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="peek">MSG_PEEK: leaves it.</param>
    /// <param name="value">The byte, or null.</param>
    /// <returns>Invalid, WouldBlock; None with no byte at the end of the stream.</returns>
    public NetError ReceiveUrgent(TcpConnection connection, bool peek, out byte? value)
    {
        value = null;
        lock (connection.Lock)
        {
            NetError error = connection.Urgent.Receive(peek, out byte received);
            if (error == NetError.None)
            {
                value = received;
            }

            bool isEnded = connection.HasReceivedFin || HasShutDown || connection.State == TcpState.Closed;
            return error == NetError.WouldBlock && isEnded ? NetError.None : error;
        }
    }

    // The urgent byte is no part of the stream.
    private static int PassOver(TcpConnection connection, bool peek)
    {
        if (peek)
        {
            return 1;
        }

        connection.OnConsumed(1);
        return 0;
    }

    private static int CopyOut<TSink>(Packet packet, int offset, int wanted, ref TSink sink)
        where TSink : struct, IByteSink, allows ref struct
    {
        int done = 0;
        while (done < wanted && sink.Length > 0 && packet.PieceAt(offset + done) is { IsEmpty: false } piece)
        {
            piece = piece[..(int)Math.Min(Math.Min(piece.Length, wanted - done), sink.Length)];
            int copied = sink.CopyFrom(piece);
            done += copied;
            if (copied < piece.Length)
            {
                break;
            }
        }

        return done;
    }

    private NetError EndOf(TcpConnection connection)
    {
        if (connection.HasReceivedFin)
        {
            return NetError.None;
        }

        if (connection.Error != NetError.None)
        {
            return connection.TakeError();
        }

        return connection.State switch
        {
            _ when HasShutDown => NetError.None,
            TcpState.Closed => WasConnected ? NetError.None : NetError.NotConnected,
            _ => NetError.WouldBlock,
        };
    }
}
