namespace Moat.Netstack.Tcp;

/// <summary>How much new data goes into the next packet: what the windows allow, in segments worth sending (RFC 9293 section 3.8.6.2.1).</summary>
internal static class SegmentSizing
{
    /// <summary>Chooses. Under the connection's lock.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="unsent">Bytes that have not been sent.</param>
    /// <param name="inFlight">Bytes sent that are thought to be on their way.</param>
    /// <param name="overridesSilly">Whether a window too small for a segment is used all the same: it has stayed so for a timeout.</param>
    /// <returns>Payload bytes, several segments perhaps; 0 to wait.</returns>
    public static int Choose(TcpConnection connection, int unsent, int inFlight, bool overridesSilly)
    {
        TcpSender sender = connection.Sender;
        int mss = sender.Mss;
        int windowLeft = sender.Unacknowledged + sender.Window - sender.Next;
        int congestionLeft = sender.Congestion.Window - inFlight;
        int length = Math.Min(unsent, Math.Min(Math.Min(windowLeft, congestionLeft), connection.Transmitter.MaxSendSize));
        if (length <= 0)
        {
            return 0;
        }

        if (length == unsent && length <= mss)
        {
            return length == mss || connection.Partials.MaySend(unsent) ? length : 0;
        }

        int full = length - (length % mss);
        if (full == 0)
        {
            // The window is the limit: it counts if the peer never shows a larger one.
            return windowLeft <= congestionLeft && (length >= sender.MaxWindow / 2 || overridesSilly) ? length : 0;
        }

        return full < length && (length < unsent || !connection.Partials.MaySend(unsent - full)) ? full : length;
    }
}
