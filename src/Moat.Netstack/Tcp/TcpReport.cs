namespace Moat.Netstack.Tcp;

/// <summary>Gathers what TCP_INFO shows of a connection.</summary>
internal static class TcpReport
{
    /// <summary>The status now. Under the connection's lock.</summary>
    public static TcpStatus Of(TcpConnection connection)
    {
        TcpSender sender = connection.Sender;
        TcpReceiver receiver = connection.Receiver;
        long now = connection.Stack.Host.NowNs;
        TcpTimerKind waits = sender.WaitsFor;
        long deadline = waits != TcpTimerKind.None ? sender.Timer.ExpiryNs : connection.KeepAlive.DeadlineNs;
        return new TcpStatus
        {
            State = connection.State,
            Recovery = (byte)sender.Recovery,
            Timeouts = sender.Timeouts,
            UsesTimestamps = connection.UsesTimestamps,
            UsesSack = connection.UsesSack,
            UsesWindowScale = connection.UsesWindowScale,
            SendWindowScale = sender.WindowScale,
            ReceiveWindowScale = receiver.WindowScale,
            RetransmissionTimeNs = sender.RtoNs,
            SendMss = sender.Mss,
            ReceiveMss = connection.ReceiveMss,
            UnacknowledgedBytes = sender.Next - sender.Unacknowledged,
            SackedBytes = sender.SackedBytes,
            LostBytes = sender.LostBytes,
            PathMtu = connection.Transmitter.PathMtu,
            RoundTripNs = sender.Rtt.SmoothedNs,
            RoundTripVariationNs = sender.Rtt.VariationNs,
            SlowStartThreshold = sender.Congestion.SlowStartThreshold,
            CongestionWindow = sender.Congestion.Window,
            Retransmissions = sender.Retransmissions,
            Timer = waits != TcpTimerKind.None || deadline == 0 ? waits : TcpTimerKind.KeepAlive,
            TimerLeftNs = deadline == 0 ? 0 : deadline - now,
            UnsentBytes = connection.IsSynchronized ? Math.Max(sender.Queue.End - sender.Next, 0) : 0,
            MinRoundTripNs = sender.Rtt.MinNs == long.MaxValue ? 0 : sender.Rtt.MinNs,
            SendWindow = sender.Window,
            ReceiveWindow = Math.Max(receiver.WindowEnd - receiver.Next, 0),
            SinceSentNs = sender.LastSentNs == 0 ? 0 : now - sender.LastSentNs,
            SinceReceivedNs = connection.KeepAlive.LastReceivedNs == 0 ? 0 : now - connection.KeepAlive.LastReceivedNs,
            Counts = connection.Counts,
        };
    }
}
