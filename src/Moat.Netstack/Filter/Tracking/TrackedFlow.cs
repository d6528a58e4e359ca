using Moat.Netstack.Wire;

namespace Moat.Netstack.Filter.Tracking;

/// <summary>A connection that is tracked: its two directions, and what is known of it. Any thread.</summary>
public sealed class TrackedFlow
{
    private int _status;
    private long _expiresNs;

    internal TrackedFlow(in FlowTuple original, uint id, long nowNs)
    {
        Original = original;
        Reply = original.Inverse;
        Id = id;
        StartedNs = nowNs;
    }

    /// <summary>Packets as its beginner sends them.</summary>
    public FlowTuple Original { get; }

    /// <summary>Packets as the other side sends them. Fixed once the connection is <see cref="FlowStatus.Confirmed"/>; until then its one packet's owner changes it.</summary>
    public FlowTuple Reply { get; internal set; }

    /// <summary>A number that is its own.</summary>
    public uint Id { get; }

    /// <summary>What is known.</summary>
    public FlowStatus Status => (FlowStatus)Volatile.Read(ref _status);

    /// <summary>How far a TCP connection is. Written under the flow's lock.</summary>
    public TcpTrackState Tcp { get; internal set; }

    /// <summary>A mark that rules give it.</summary>
    public uint Mark { get; set; }

    /// <summary>When it is forgotten: monotonic nanoseconds.</summary>
    public long ExpiresNs
    {
        get => Volatile.Read(ref _expiresNs);
        internal set => Volatile.Write(ref _expiresNs, value);
    }

    /// <summary>When its first packet came.</summary>
    internal long StartedNs { get; }

    /// <summary>Guards how far it is.</summary>
    internal Lock Lock { get; } = new();

    /// <summary>Whether it has any of these.</summary>
    public bool Has(FlowStatus status) => (Status & status) != 0;

    /// <summary>The packets of one direction.</summary>
    public FlowTuple Of(bool isReply) => isReply ? Reply : Original;

    internal void Add(FlowStatus status) => Interlocked.Or(ref _status, (int)status);

    /// <summary>How its packets' protocol is followed, and how long it is remembered from now on.</summary>
    /// <returns>False if a packet makes no sense in it.</returns>
    internal bool Follow(TcpFlags flags, bool isReply, long nowNs)
    {
        const long Second = 1_000_000_000;
        const long Generic = 600 * Second; // nf_conntrack_generic_timeout
        const long Icmp = 30 * Second;
        const long Udp = 30 * Second;
        const long UdpStream = 120 * Second;
        switch (Original.Protocol)
        {
            case IpProtocol.Tcp:
                return FollowTcp(flags, isReply, nowNs);
            case IpProtocol.Udp:
                bool isStream = Has(FlowStatus.SeenReply) && nowNs > StartedNs + (2 * Second);
                Add(isStream ? FlowStatus.Assured : FlowStatus.None);
                ExpiresNs = nowNs + (isStream ? UdpStream : Udp);
                return true;
            case IpProtocol.Icmp or IpProtocol.IcmpV6:
                ExpiresNs = nowNs + Icmp;
                return true;
            default:
                ExpiresNs = nowNs + Generic;
                return true;
        }
    }

    private bool FollowTcp(TcpFlags flags, bool isReply, long nowNs)
    {
        lock (Lock)
        {
            TcpTrackState before = Tcp;
            TcpTrackState next = TcpTracking.Next(before, flags, isReply);
            if (next == TcpTrackState.None)
            {
                return false;
            }

            Tcp = next;
            if (next == TcpTrackState.Established && before is TcpTrackState.SynReceived or TcpTrackState.Established && Has(FlowStatus.SeenReply))
            {
                Add(FlowStatus.Assured);
            }

            const long Unacknowledged = 300_000_000_000; // nf_conntrack_tcp_timeout_unacknowledged
            bool isAnswered = Has(FlowStatus.SeenReply) || next != TcpTrackState.Established;
            ExpiresNs = nowNs + (isAnswered ? TcpTracking.TimeoutNs(next) : Unacknowledged);
            return true;
        }
    }
}
