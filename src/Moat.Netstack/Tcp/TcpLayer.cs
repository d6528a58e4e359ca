using System.Collections.Concurrent;
using Moat.Netstack.Ip;
using Moat.Netstack.Packets;
using Moat.Netstack.Routing;
using Moat.Netstack.Sockets;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Tcp;

/// <summary>TCP: finds the connection or listener that a segment belongs to, and answers what belongs to none.</summary>
public sealed class TcpLayer : ITransport
{
    /// <summary>Connections, requests and remains together; beyond it nothing new is begun.</summary>
    public const int MaxFlows = 262_144;

    private const int MaxTimeWait = 65_536; // tcp_max_tw_buckets
    private const int MaxOrphans = 16_384; // tcp_max_orphans

    private static readonly TcpOptionSet s_bare = new();

    private readonly ConcurrentDictionary<FlowKey, TcpFlow> _flows = new();
    private readonly ListenerTable _listeners = new();
    private readonly uint _timestampOffset;
    private int _timeWaitCount;
    private int _orphanCount;
    private int _flowCount;
    private long _sentSegments;
    private long _receivedSegments;
    private long _badSegments;
    private long _activeOpens;
    private long _passiveOpens;

    internal TcpLayer(NetworkStack stack)
    {
        Stack = stack;
        Cookies = new SynCookies(stack.Host);
        Ports = new PortAllocator(stack.Host);
        Span<byte> random = stackalloc byte[sizeof(uint)];
        stack.Host.Fill(random);
        _timestampOffset = BitConverter.ToUInt32(random);
        stack.Register(IpProtocol.Tcp, this);
    }

    /// <summary>The stack it is in.</summary>
    public NetworkStack Stack { get; }

    /// <summary>Bound ports.</summary>
    public PortAllocator Ports { get; }

    /// <summary>Segments sent (Tcp: OutSegs).</summary>
    public long SentSegments => Volatile.Read(ref _sentSegments);

    /// <summary>Segments received (Tcp: InSegs).</summary>
    public long ReceivedSegments => Volatile.Read(ref _receivedSegments);

    /// <summary>Segments that were malformed (Tcp: InErrs).</summary>
    public long BadSegments => Volatile.Read(ref _badSegments);

    /// <summary>Connections begun by this side (Tcp: ActiveOpens).</summary>
    public long ActiveOpens => Volatile.Read(ref _activeOpens);

    /// <summary>Connections begun by others (Tcp: PassiveOpens).</summary>
    public long PassiveOpens => Volatile.Read(ref _passiveOpens);

    /// <summary>Everything between two ends: connections, requests, remains. A snapshot that others change while it is taken.</summary>
    public IReadOnlyList<TcpFlowStatus> ListFlows()
    {
        List<TcpFlowStatus> list = [];
        foreach (KeyValuePair<FlowKey, TcpFlow> flow in _flows)
        {
            list.Add(flow.Value.Describe());
        }

        return list;
    }

    /// <summary>Breaks off every connection, without a word to its peer.</summary>
    internal void AbortAll()
    {
        foreach (TcpFlow flow in _flows.Values)
        {
            switch (flow)
            {
                case TcpConnection connection:
                    lock (connection.Lock)
                    {
                        connection.Finish(keepData: false);
                    }

                    break;
                case TcpTimeWait remains:
                    remains.End();
                    break;
            }
        }
    }

    internal SynCookies Cookies { get; }

    internal ListenerTable Listeners => _listeners;

    internal IEnumerable<TcpFlow> Flows => _flows.Values;

    /// <inheritdoc/>
    public void Receive(Packet packet, in IpInfo info)
    {
        Interlocked.Increment(ref _receivedSegments);
        int length = packet.Length;
        if (info.Kind != RouteKind.Local || !TcpHeader.TryParse(packet.Linear, out TcpHeader header) || !IsIntact(packet, info))
        {
            Interlocked.Increment(ref _badSegments);
            packet.Release();
            return;
        }

        TcpSegment segment = new()
        {
            Header = header,
            Options = TcpOptions.Parse(packet.Linear[TcpHeader.MinLength..header.HeaderLength], (header.Flags & TcpFlags.SYN) != 0),
            PayloadLength = length - header.HeaderLength,
        };
        FlowKey key = new(new IpEndpoint(info.Destination, header.DestinationPort), new IpEndpoint(info.Source, header.SourcePort));
        if (_flows.TryGetValue(key, out TcpFlow? flow))
        {
            flow.Receive(packet, segment, info);
            return;
        }

        ReceiveUnmatched(packet, segment, info);
    }

    /// <inheritdoc/>
    public void ReceiveError(in IpError error, ReadOnlySpan<byte> header)
    {
        if (header.Length < 8)
        {
            return;
        }

        ushort source = System.Buffers.Binary.BinaryPrimitives.ReadUInt16BigEndian(header);
        ushort destination = System.Buffers.Binary.BinaryPrimitives.ReadUInt16BigEndian(header[2..]);
        SequenceNumber sequence = new(System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(header[4..]));
        if (_flows.TryGetValue(new FlowKey(new IpEndpoint(error.Local, source), new IpEndpoint(error.Remote, destination)), out TcpFlow? flow))
        {
            flow.ReceiveError(error, sequence);
        }
    }

    /// <summary>The value of the timestamp option: milliseconds from a random start.</summary>
    internal uint Timestamp(long nowNs) => unchecked((uint)(nowNs / 1_000_000) + _timestampOffset);

    /// <summary>The first sequence number of a connection: behind everything that one between the same ends has used, if its remains are known.</summary>
    internal SequenceNumber InitialSequence(in FlowKey key, TcpTimeWait? remains, long nowNs)
    {
        SequenceNumber initial = Cookies.InitialSequence(key, nowNs);
        return remains is null ? initial : SequenceNumber.Max(initial, remains.Next + ushort.MaxValue + 2);
    }

    // A segment without a connection: a listener's, or nobody's.
    internal void ReceiveUnmatched(Packet packet, in TcpSegment segment, in IpInfo info, TcpTimeWait? remains = null)
    {
        FlowKey key = new(new IpEndpoint(info.Destination, segment.Header.DestinationPort), new IpEndpoint(info.Source, segment.Header.SourcePort));
        if (!segment.Has(TcpFlags.RST) && _listeners.Find(key, info.Interface.Index) is { } listener)
        {
            if (!SocketFiltering.Passes(listener.Options.Ip, packet, packet.Start, segment.Header.HeaderLength, info))
            {
                packet.Release();
                return;
            }

            if (segment.Has(TcpFlags.SYN) && !segment.Has(TcpFlags.ACK | TcpFlags.FIN))
            {
                listener.ReceiveSyn(key, segment, remains);
                packet.Release();
                return;
            }

            if (segment.Has(TcpFlags.ACK) && !segment.Has(TcpFlags.SYN) && listener.TryReceiveCookie(packet, key, segment, info))
            {
                return;
            }
        }

        if (!segment.Has(TcpFlags.RST))
        {
            SendReset(key, segment);
        }

        packet.Release();
    }

    /// <summary>Adds a flow; false if its ends are taken or there are too many.</summary>
    internal bool TryAdd(TcpFlow flow)
    {
        if (Interlocked.Increment(ref _flowCount) <= MaxFlows && !Stack.Memory.IsShort && _flows.TryAdd(flow.Key, flow))
        {
            Stack.Memory.Take(flow.HeldBytes);
            return true;
        }

        Interlocked.Decrement(ref _flowCount);
        return false;
    }

    /// <summary>Puts a flow in the place of another with the same ends.</summary>
    internal bool TryReplace(TcpFlow before, TcpFlow after)
    {
        if (!_flows.TryUpdate(after.Key, after, before))
        {
            return false;
        }

        Stack.Memory.Take(after.HeldBytes - before.HeldBytes);
        return true;
    }

    /// <summary>Takes a flow out, if it is still the one with its ends.</summary>
    internal void Forget(TcpFlow flow)
    {
        if (_flows.TryRemove(new KeyValuePair<FlowKey, TcpFlow>(flow.Key, flow)))
        {
            Interlocked.Decrement(ref _flowCount);
            Stack.Memory.Return(flow.HeldBytes);
            if (flow is TcpTimeWait)
            {
                Interlocked.Decrement(ref _timeWaitCount);
            }
        }
    }

    /// <summary>The flow between two ends, or null.</summary>
    internal TcpFlow? Find(in FlowKey key) => _flows.GetValueOrDefault(key);

    /// <summary>A connection is gone, or lives on in its remains.</summary>
    internal void Remove(TcpConnection connection, bool keepFlow)
    {
        if (!keepFlow)
        {
            Forget(connection);
        }

        if (connection.Binding is { } binding)
        {
            connection.Binding = null;
            Ports.Release(binding);
        }

        if (connection.IsOrphan)
        {
            connection.IsOrphan = false;
            Interlocked.Decrement(ref _orphanCount);
        }
    }

    /// <summary>A socket leaves a connection that is not closed yet.</summary>
    /// <returns>False if too many are in that state: the connection is reset.</returns>
    internal bool TakeOrphan(TcpConnection connection)
    {
        if (Interlocked.Increment(ref _orphanCount) > MaxOrphans)
        {
            Interlocked.Decrement(ref _orphanCount);
            return false;
        }

        connection.IsOrphan = true;
        return true;
    }

    /// <summary>A connection has closed on both sides: its remains take its place.</summary>
    internal void EnterTimeWait(TcpConnection connection, SequenceNumber next, SequenceNumber receiveNext, int window, uint? recentTimestamp, long nowNs)
    {
        if (Interlocked.Increment(ref _timeWaitCount) > MaxTimeWait)
        {
            Interlocked.Decrement(ref _timeWaitCount);
            Forget(connection);
            return;
        }

        TcpTimeWait remains = new(this, connection.Key, next, receiveNext, window, recentTimestamp);
        if (TryReplace(connection, remains))
        {
            if (connection.Binding is { IsChosen: false } binding)
            {
                (remains.Binding, connection.Binding) = (binding, null);
            }

            remains.Restart(nowNs);
        }
        else
        {
            Interlocked.Decrement(ref _timeWaitCount);
        }
    }

    /// <summary>Answers a segment that belongs nowhere (RFC 9293 section 3.10.7.1).</summary>
    internal void SendReset(in FlowKey key, in TcpSegment segment)
    {
        bool hasAck = segment.Has(TcpFlags.ACK);
        SendBare(
            key,
            hasAck ? segment.Header.Acknowledgment : default,
            hasAck ? default : segment.End,
            hasAck ? TcpFlags.RST : TcpFlags.RST | TcpFlags.ACK,
            default,
            0);
    }

    /// <summary>Sends an acknowledgment for remains.</summary>
    internal void SendBare(in FlowKey key, SequenceNumber sequence, SequenceNumber acknowledgment, int window, uint? recentTimestamp)
    {
        TcpOptions options = default;
        if (recentTimestamp is { } recent)
        {
            options.HasTimestamps = true;
            options.TimestampValue = Timestamp(Stack.Host.NowNs);
            options.TimestampEcho = recent;
        }

        SendBare(key, sequence, acknowledgment, TcpFlags.ACK, options, window);
    }

    /// <summary>Sends the answer to a SYN.</summary>
    internal void SendSynAck(in FlowKey key, in TcpHandshake handshake, TcpOptionSet settings, ref RouteDecision route)
    {
        int mss = TcpOutput.MssOf(route.Mtu, key.Remote.Address);
        TcpOptions options = new()
        {
            MaxSegmentSize = (ushort)Math.Min(settings.MaxSegment > 0 ? Math.Min(mss, settings.MaxSegment) : mss, ushort.MaxValue),
            SackPermitted = handshake.Options.SackPermitted && settings.OffersSack,
            WindowScale = handshake.Options.WindowScale is not null && settings.OffersWindowScale ? (byte)handshake.LocalWindowScale : null,
            HasTimestamps = handshake.Options.HasTimestamps && settings.OffersTimestamps,
            TimestampValue = Timestamp(Stack.Host.NowNs),
            TimestampEcho = handshake.Options.TimestampValue,
        };
        _ = TcpOutput.Send(
            this, Stack.Pool.Rent(0), key, ref route, settings, options, handshake.LocalInitial, handshake.RemoteInitial + 1, TcpFlags.SYN | TcpFlags.ACK, (int)Math.Min(settings.ReceiveBuffer > 0 ? settings.ReceiveBuffer : TcpLimits.DefaultReceiveBuffer, ushort.MaxValue * 2) / 2);
    }

    internal void OnEstablished(TcpConnection connection) => connection.Transmitter.ConfirmRoute();

    internal void CountOpening(bool isActive) => Interlocked.Increment(ref isActive ? ref _activeOpens : ref _passiveOpens);

    internal void CountSent() => Interlocked.Increment(ref _sentSegments);

    private static bool IsIntact(Packet packet, in IpInfo info)
    {
        if (packet.Checksum == ChecksumState.Verified)
        {
            return true;
        }

        InternetChecksum checksum = InternetChecksum.OfPseudoHeader(info.Source, info.Destination, IpProtocol.Tcp, packet.Length);
        packet.AddTo(ref checksum, 0);
        return checksum.Value == 0;
    }

    private void SendBare(in FlowKey key, SequenceNumber sequence, SequenceNumber acknowledgment, TcpFlags flags, in TcpOptions options, int window)
    {
        if (Stack.Decide(key.Remote.Address, key.Local.Address, 0, out RouteDecision route) == NetError.None)
        {
            _ = TcpOutput.Send(this, Stack.Pool.Rent(0), key, ref route, s_bare, options, sequence, acknowledgment, flags, window);
        }
    }
}
