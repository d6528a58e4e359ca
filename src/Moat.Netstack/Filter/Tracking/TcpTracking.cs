using Moat.Netstack.Wire;

namespace Moat.Netstack.Filter.Tracking;

/// <summary>Follows TCP connections by the control bits of their segments (RFC 9293 section 3.3.2, seen from between the ends). Sequence numbers are not judged, as with nf_conntrack_tcp_be_liberal.</summary>
internal static class TcpTracking
{
    private const long Second = 1_000_000_000;

    /// <summary>Where a segment leads.</summary>
    /// <param name="state">Where the connection is.</param>
    /// <param name="flags">The segment's control bits.</param>
    /// <param name="isReply">Whether it goes against the connection's direction.</param>
    /// <returns>The next state; None if the segment makes no sense.</returns>
    public static TcpTrackState Next(TcpTrackState state, TcpFlags flags, bool isReply)
    {
        bool hasAck = (flags & TcpFlags.ACK) != 0;
        if ((flags & TcpFlags.RST) != 0)
        {
            return state == TcpTrackState.None ? TcpTrackState.None : TcpTrackState.Close;
        }

        if ((flags & TcpFlags.SYN) != 0)
        {
            return hasAck ? AfterSynAck(state, isReply) : AfterSyn(state, isReply);
        }

        if ((flags & TcpFlags.FIN) != 0)
        {
            return AfterFin(state);
        }

        return hasAck ? AfterAck(state, isReply) : TcpTrackState.None;
    }

    /// <summary>Whether a SYN may begin a new connection in the place of one in this state.</summary>
    public static bool IsOver(TcpTrackState state) => state is TcpTrackState.TimeWait or TcpTrackState.Close or TcpTrackState.LastAck;

    /// <summary>How long a connection in this state is remembered (nf_conntrack_tcp_timeout_*).</summary>
    public static long TimeoutNs(TcpTrackState state) => state switch
    {
        TcpTrackState.SynSent or TcpTrackState.SynSent2 => 120 * Second,
        TcpTrackState.SynReceived or TcpTrackState.CloseWait => 60 * Second,
        TcpTrackState.Established => 432_000 * Second,
        TcpTrackState.FinWait or TcpTrackState.TimeWait => 120 * Second,
        TcpTrackState.LastAck => 30 * Second,
        _ => 10 * Second,
    };

    private static TcpTrackState AfterSyn(TcpTrackState state, bool isReply) => (state, isReply) switch
    {
        (TcpTrackState.None, false) => TcpTrackState.SynSent,
        (TcpTrackState.SynSent, true) => TcpTrackState.SynSent2,
        (TcpTrackState.None, true) => TcpTrackState.None,
        _ => state, // a repetition, or one that the other side answers with an acknowledgment
    };

    private static TcpTrackState AfterSynAck(TcpTrackState state, bool isReply) => (state, isReply) switch
    {
        (TcpTrackState.SynSent, true) or (TcpTrackState.SynSent2, _) => TcpTrackState.SynReceived,
        (TcpTrackState.None or TcpTrackState.SynSent, _) => TcpTrackState.None,
        _ => state,
    };

    private static TcpTrackState AfterFin(TcpTrackState state) => state switch
    {
        TcpTrackState.None or TcpTrackState.SynSent or TcpTrackState.SynSent2 => TcpTrackState.None,
        TcpTrackState.SynReceived or TcpTrackState.Established => TcpTrackState.FinWait,
        TcpTrackState.FinWait or TcpTrackState.CloseWait => TcpTrackState.LastAck,
        _ => state,
    };

    private static TcpTrackState AfterAck(TcpTrackState state, bool isReply) => state switch
    {
        TcpTrackState.None => isReply ? TcpTrackState.None : TcpTrackState.Established, // tcp_loose: a connection older than the table
        TcpTrackState.SynSent or TcpTrackState.SynSent2 => isReply ? state : TcpTrackState.None,
        TcpTrackState.SynReceived => isReply ? state : TcpTrackState.Established,
        TcpTrackState.FinWait => TcpTrackState.CloseWait,
        TcpTrackState.LastAck => TcpTrackState.TimeWait,
        _ => state,
    };
}
