using Moat.Netstack.Link;
using Moat.Netstack.Packets;
using Moat.Netstack.Routing;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Tcp;

/// <summary>Makes the segments of a connection and sends them on its route. Guarded by the connection's lock.</summary>
internal sealed class TcpTransmitter(TcpConnection connection, TcpLayer layer, RouteDecision route)
{
    private RouteDecision _route = route;
    private int _peerMss = TcpLimits.DefaultMss;

    /// <summary>What the path carries, as far as it is known.</summary>
    public int PathMtu { get; private set; } = route.Mtu;

    /// <summary>Payload bytes that one packet may carry: several segments where the link cuts them.</summary>
    public int MaxSendSize
    {
        get
        {
            const int MaxGso = 65535 - Packet.HeaderRoom;
            int mss = connection.Sender.Mss;
            return (_route.Interface.Link.Features & LinkFeatures.TcpSegmentation) != 0 ? Math.Max(MaxGso - (MaxGso % mss), mss) : mss;
        }
    }

    /// <summary>The segment size to announce: what the route carries.</summary>
    private int LocalMss
    {
        get
        {
            int mss = TcpOutput.MssOf(PathMtu, connection.Key.Remote.Address);
            return connection.Options.MaxSegment > 0 ? Math.Min(mss, connection.Options.MaxSegment) : mss;
        }
    }

    /// <summary>Payload bytes of a full segment: what both sides and the path allow, less the options of every segment.</summary>
    public int EffectiveMss
    {
        get
        {
            const int TimestampBytes = 12;
            return Math.Max(Math.Min(_peerMss, LocalMss) - (connection.UsesTimestamps ? TimestampBytes : 0), TcpLimits.MinMss - TimestampBytes);
        }
    }

    /// <summary>The peer's SYN has told how long segments it takes; 0 if it has not.</summary>
    public void SetPeerMss(int mss) => _peerMss = mss != 0 ? Math.Max(mss, TcpLimits.MinMss) : TcpLimits.DefaultMss;

    /// <summary>A router says what the path carries.</summary>
    /// <returns>Whether it is less than was known.</returns>
    public bool TryLowerPathMtu(int mtu)
    {
        if (mtu >= PathMtu)
        {
            return false;
        }

        PathMtu = PathMtuTable.Bounded(mtu, connection.Key.Remote.Address);
        layer.Stack.Paths.Learn(connection.Key.Remote.Address, mtu);
        return true;
    }

    /// <summary>The timestamp option of a segment sent now.</summary>
    public uint Timestamp(long nowNs) => layer.Timestamp(nowNs);

    /// <summary>The peer answers: its neighbour entry need not be checked.</summary>
    public void ConfirmRoute() => _route.Interface.Neighbors?.Confirm(_route.NextHop);

    /// <summary>Sends data of the queue for the first time.</summary>
    public bool SendData(SequenceNumber start, int length, bool isLast)
    {
        TcpFlags flags = TcpFlags.ACK | (isLast ? TcpFlags.PSH : 0);
        return SendQueued(start, length, flags);
    }

    /// <summary>Sends what lies between two sequence numbers again: SYN, data or FIN.</summary>
    public bool Retransmit(SequenceNumber start, SequenceNumber end)
    {
        if (connection.State is TcpState.SynSent or TcpState.SynReceived)
        {
            SendSyn(start);
            return true;
        }

        int length = SequenceNumber.Min(end, connection.Sender.Queue.End) - start;
        if (length > 0)
        {
            return SendQueued(start, length, TcpFlags.ACK | (start + length == connection.Sender.Queue.End ? TcpFlags.PSH : 0));
        }

        SendFin(start);
        return true;
    }

    /// <summary>Sends FIN.</summary>
    public void SendFin(SequenceNumber sequence) => SendControl(sequence, TcpFlags.FIN | TcpFlags.ACK);

    /// <summary>Asks the peer what its window is.</summary>
    public void SendWindowProbe(SequenceNumber sequence) => SendControl(sequence, TcpFlags.ACK);

    /// <summary>Acknowledges now.</summary>
    public void SendAck()
    {
        if (connection.State is not (TcpState.Closed or TcpState.SynSent))
        {
            SendControl(connection.Sender.Next, TcpFlags.ACK);
        }
    }

    /// <summary>Sends SYN, or the answer to one.</summary>
    public void SendSyn(SequenceNumber sequence)
    {
        bool answers = connection.State == TcpState.SynReceived;
        TcpOptions options = new()
        {
            MaxSegmentSize = (ushort)Math.Min(LocalMss, ushort.MaxValue),
            SackPermitted = answers ? connection.UsesSack : connection.Options.OffersSack,
            WindowScale = (answers ? connection.UsesWindowScale : connection.Options.OffersWindowScale) ? (byte)connection.Receiver.WindowScale : null,
            HasTimestamps = answers ? connection.UsesTimestamps : connection.Options.OffersTimestamps,
        };
        _ = Send(connection.Stack.Pool.Rent(0), sequence, answers ? TcpFlags.SYN | TcpFlags.ACK : TcpFlags.SYN, options);
    }

    /// <summary>Sends a segment without data.</summary>
    public void SendControl(SequenceNumber sequence, TcpFlags flags)
    {
        TcpOptions options = default;
        if ((flags & TcpFlags.RST) == 0 && connection.UsesSack)
        {
            options.HasTimestamps = connection.UsesTimestamps; // counts for the room
            connection.Receiver.AddSacks(ref options);
        }

        _ = Send(connection.Stack.Pool.Rent(0), sequence, flags, options);
    }

    private bool SendQueued(SequenceNumber start, int length, TcpFlags flags)
    {
        ref TcpCounters counts = ref connection.Counts;
        counts.DataSegmentsOut++;
        counts.BytesSent += length;
        counts.BytesRetransmitted += start < connection.Sender.Next ? length : 0;
        bool copies = (_route.Interface.Link.Features & LinkFeatures.TcpSegmentation) == 0;
        Packet packet = connection.Stack.Pool.Rent(copies ? length : 0);
        int added = connection.Sender.Queue.AddTo(packet, start, length, copies);
        if (added < length)
        {
            // More pieces than a packet holds: many small writes. Copied, they fit.
            packet.Release();
            packet = connection.Stack.Pool.Rent(length);
            _ = connection.Sender.Queue.AddTo(packet, start, length, copy: true);
        }

        packet.SegmentSize = length > connection.Sender.Mss ? connection.Sender.Mss : 0;
        return Send(packet, start, flags, default);
    }

    private bool Send(Packet packet, SequenceNumber sequence, TcpFlags flags, TcpOptions options)
    {
        long now = connection.Stack.Host.NowNs;
        connection.Counts.SegmentsOut++;
        bool isSyn = (flags & TcpFlags.SYN) != 0;
        bool hasAck = (flags & TcpFlags.ACK) != 0;
        if (!isSyn)
        {
            options.HasTimestamps = connection.UsesTimestamps;
        }

        if (options.HasTimestamps)
        {
            options.TimestampValue = layer.Timestamp(now);
            options.TimestampEcho = hasAck ? connection.PeerClock.Recent : 0;
        }

        int window = connection.Receiver.Window;
        if (!TcpOutput.Send(layer, packet, connection.Key, ref _route, connection.Options, options, sequence, hasAck ? connection.Receiver.Next : default, flags, isSyn ? Math.Min(window, ushort.MaxValue) : window >> connection.Receiver.WindowScale, isSyn ? (ushort)0 : connection.Sender.Urgent.PointerFrom(sequence)))
        {
            return false;
        }

        if (hasAck)
        {
            connection.AckIsDue = false;
            connection.Receiver.OnAckSent(isSyn ? Math.Min(window, ushort.MaxValue) : window);
        }

        return true;
    }
}
