using Moat.Netstack.Packets;
using Moat.Netstack.Sockets;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Tcp;

/// <summary>The receiving half of a connection: order, windows, and when to acknowledge. Guarded by the connection's lock.</summary>
internal sealed class TcpReceiver
{
    private const int QuickAcks = 16; // TCP_MAX_QUICKACKS
    private const int MaxWhenShort = 65536; // of what has been offered before memory was short
    private const int MaxBuffers = 4; // a peer may fill the window that it has been offered with segments that cost many times what they carry
    private const int SmallSegment = 128;
    private const int MaxReported = TcpOptions.MaxSackBlocks;

    private readonly TcpConnection _connection;
    private OutOfOrderQueue? _outOfOrder; // made when something comes out of order
    private readonly SequenceNumber[] _recentRuns = new SequenceNumber[MaxReported];
    private int _recentCount;
    private SackBlock? _duplicate; // reported first in the next acknowledgment (RFC 2883)
    private PacketQueue _queue;
    private SequenceNumber _windowEnd; // what has been offered: it never moves back
    private SequenceNumber _acknowledged; // the last acknowledgment sent
    private int _quickAcks = QuickAcks;
    private bool _answers; // data goes out soon after data comes in: it takes the acknowledgments along (pingpong mode)
    private bool _isPushed; // what came last ended a write of the peer's: more may not follow soon
    private long _lastDataNs;
    private int _unacknowledgedBytes;
    private long _buffer = TcpLimits.DefaultReceiveBuffer;
    private bool _bufferIsFixed;
    private SequenceNumber _measureEnd;
    private long _measureStartNs;
    private long _copiedInRound;

    public TcpReceiver(TcpConnection connection)
    {
        _connection = connection;
        AckTimer = new TcpTimer(connection, static (owner, _) => owner.Receiver.OnAckDue());
    }

    /// <summary>The acknowledgment that is put off.</summary>
    public TcpTimer AckTimer { get; }

    /// <summary>RCV.NXT.</summary>
    public SequenceNumber Next { get; private set; }

    /// <summary>IRS.</summary>
    public SequenceNumber Initial { get; private set; }

    /// <summary>This side's window shift.</summary>
    public int WindowScale { get; set; }

    /// <summary>Bytes in order that nobody has read.</summary>
    public int AvailableBytes { get; private set; }

    /// <summary>The sequence number of the next byte that is read.</summary>
    public SequenceNumber ReadPosition => Next - (AvailableBytes + (_connection.HasReceivedFin ? 1 : 0));

    /// <summary>The first packet in order: its data is stable until <see cref="Consume"/>, whose caller alone takes from the queue.</summary>
    public Packet? First => _queue.First;

    /// <summary>TCP_QUICKACK.</summary>
    public bool AlwaysQuick { get; set; }

    /// <summary>SO_RCVBUF, or the size it has grown to.</summary>
    public long Buffer
    {
        get => _buffer;
        set
        {
            _buffer = value;
            _bufferIsFixed = true;
        }
    }

    /// <summary>SND of the peer starts: its SYN has this number.</summary>
    public void Start(SequenceNumber initial)
    {
        Initial = initial;
        Next = initial + 1;
        _windowEnd = Next;
        _acknowledged = Next;
        _measureEnd = Next;
    }

    /// <summary>The window to offer, in bytes: what the buffer has room for, in steps worth sending for (RFC 9293 section 3.8.6.2.2), never taking back what was offered.</summary>
    public int Window
    {
        get
        {
            long used = _queue.TrueSize + OutOfOrderSize;
            long buffer = IsMemoryShort ? Math.Min(_buffer, SocketMemory.GuaranteedBytes) : _buffer;
            long free = Math.Max((buffer - used) / 2, 0); // half of a buffer is for data, half for what packets cost beside it
            int offered = Math.Max(_windowEnd - Next, 0);
            int step = (int)Math.Min(_connection.ReceiveMss, Math.Max(_buffer / 4, 1));
            int window = (int)Math.Min(free, (long)ushort.MaxValue << WindowScale);
            if (_connection.Options.WindowClamp is > 0 and int clamp)
            {
                window = Math.Min(window, clamp);
            }

            if (window < step)
            {
                window = 0;
            }

            window = Math.Max(window, offered);
            return WindowScale > 0 ? window >> WindowScale << WindowScale : window;
        }
    }

    /// <summary>The end of the window that the peer may send into.</summary>
    public SequenceNumber WindowEnd => SequenceNumber.Max(_windowEnd, Next);

    /// <summary>An acknowledgment with this window is being sent: nothing is owed any more.</summary>
    public void OnAckSent(int window)
    {
        _windowEnd = SequenceNumber.Max(_windowEnd, Next + window);
        _acknowledged = Next;
        _unacknowledgedBytes = 0;
        _isPushed = false;
        _duplicate = null;
        AckTimer.Clear();
    }

    /// <summary>The SACK blocks of the next acknowledgment: a duplicate, then what came last, then what was reported before.</summary>
    public void AddSacks(ref TcpOptions options)
    {
        if (_duplicate is { } duplicate)
        {
            _ = options.TryAddSack(duplicate);
        }

        int kept = 0;
        for (int i = 0; i < _recentCount; i++)
        {
            if (_outOfOrder?.FindRun(_recentRuns[i]) is { } run && !_recentRuns.AsSpan(0, kept).Contains(run.Left))
            {
                _recentRuns[kept++] = run.Left;
                _ = options.TryAddSack(run);
            }
        }

        _recentCount = kept;
    }

    /// <summary>Takes the data of a segment that lies in the window, at least in part; the packet, which begins with the data, is the receiver's.</summary>
    /// <returns>Whether data became readable.</returns>
    public bool Receive(Packet packet, SequenceNumber start, bool isPushed, long nowNs)
    {
        SequenceNumber end = start + packet.Length;
        if (end <= Next)
        {
            // All of it is here already: the acknowledgment was lost, or it was sent twice.
            _duplicate = new SackBlock(start, end);
            packet.Release();
            AckNow();
            return false;
        }

        if (start < Next)
        {
            _duplicate = new SackBlock(start, Next);
            packet.Drop(Next - start);
            start = Next;
        }

        if (end > WindowEnd)
        {
            packet.Truncate(Math.Max(WindowEnd - start, 0));
            if (packet.Length == 0)
            {
                packet.Release();
                AckNow();
                return false;
            }
        }

        if (start != Next)
        {
            AddOutOfOrder(packet, start);
            return false;
        }

        if ((IsMemoryShort && _queue.TrueSize > MaxWhenShort) || _queue.TrueSize + OutOfOrderSize > MaxBuffers * _buffer)
        {
            packet.Release(); // it comes again
            AckNow();
            return false;
        }

        bool filledHole = _outOfOrder is { IsEmpty: false };
        _lastDataNs = nowNs;
        _isPushed |= isPushed || packet.Length < _connection.ReceiveMss;
        AppendInOrder(packet);
        while (_outOfOrder?.TakeNext(Next) is { } following)
        {
            AppendInOrder(following);
        }

        GrowBuffer(nowNs);
        ScheduleAck(filledHole, nowNs);
        return true;
    }

    /// <summary>A segment outside the window came: the next acknowledgment says what of it had been there already.</summary>
    public void NoteDuplicate(SequenceNumber start, SequenceNumber end)
    {
        end = SequenceNumber.Min(end, Next);
        if (start < end)
        {
            _duplicate = new SackBlock(start, end);
        }
    }

    /// <summary>FIN, or urgent data that is not delivered, takes one number.</summary>
    public void Advance(int count) => Next += count;

    /// <summary>The caller has read bytes of <see cref="First"/> on.</summary>
    /// <returns>Whether the peer should be told of the room now.</returns>
    public bool Consume(int bytes)
    {
        AvailableBytes -= bytes;
        _copiedInRound += bytes;
        while (bytes > 0 && _queue.First is { } first)
        {
            if (first.Length > bytes)
            {
                first.Drop(bytes);
                break;
            }

            bytes -= first.Length;
            _queue.Dequeue()!.Release();
        }

        // A reader that has caught up with a peer that sends small writes one way acknowledges them: the peer may hold the next one back for it.
        if (_unacknowledgedBytes > _connection.ReceiveMss || (AvailableBytes == 0 && _isPushed && !_answers && AckTimer.IsSet))
        {
            return true;
        }

        // Tell when the window can open by two segments or half the buffer beyond what the peer knows (RFC 9293 section 3.8.6.2.2).
        int known = Math.Max(_windowEnd - Next, 0);
        int now = Window;
        return now - known >= Math.Min(2 * _connection.ReceiveMss, (int)(_buffer / 4)) && (known < 2 * _connection.ReceiveMss || now >= 2 * known);
    }

    /// <summary>The next acknowledgment goes out with this call's output.</summary>
    public void AckNow() => _connection.AckIsDue = true;

    /// <summary>The peer seems to be starting, or loses segments: acknowledge at once for a while.</summary>
    public void EnterQuickAck() => (_quickAcks, _answers) = (QuickAcks, false);

    /// <summary>Data has been sent for the first time.</summary>
    public void OnDataSent(long nowNs) => _answers |= nowNs - _lastDataNs < TcpLimits.DelayedAckNs && _lastDataNs != 0;

    /// <summary>Releases everything.</summary>
    public void Clear()
    {
        AckTimer.Clear();
        _outOfOrder?.Clear();
        _queue.Clear();
        AvailableBytes = 0;
    }

    // Nothing went out that could have taken the acknowledgment along.
    private void OnAckDue()
    {
        _answers = false;
        _connection.Transmitter.SendAck();
    }

    private long OutOfOrderSize => _outOfOrder?.TrueSize ?? 0;

    private bool IsMemoryShort => _connection.Stack.Memory.IsShort;

    private void AppendInOrder(Packet packet)
    {
        int length = packet.Length;
        Next += length;
        AvailableBytes += length;
        _connection.Counts.BytesReceived += length;
        _unacknowledgedBytes += length;
        if (_queue.Count < 2 || length > SmallSegment)
        {
            _queue.Enqueue(packet);
        }
        else
        {
            AppendSmall(packet);
        }
    }

    // Small segments that pile up share the memory of the first of them (tcp_try_coalesce). The queue's first packet is the reader's, who copies it without the lock: it does not change.
    private void AppendSmall(Packet packet)
    {
        Packet last = _queue.Last!;
        if (last.Length <= 2 * SmallSegment && last.TryAbsorb(packet))
        {
            packet.Release();
        }
        else
        {
            packet.Flatten();
            _queue.Enqueue(packet);
        }
    }

    private void AddOutOfOrder(Packet packet, SequenceNumber start)
    {
        if (IsMemoryShort || _queue.TrueSize + OutOfOrderSize + packet.TrueSize > 2 * _buffer)
        {
            packet.Release();
        }
        else if ((_outOfOrder ??= new OutOfOrderQueue()).Add(packet, start) is { } run)
        {
            Report(run.Left);
        }

        EnterQuickAck();
        AckNow();
    }

    // Moves a run to the front of what is reported.
    private void Report(SequenceNumber run)
    {
        int at = Array.IndexOf(_recentRuns, run, 0, _recentCount);
        if (at < 0)
        {
            at = _recentCount < MaxReported ? _recentCount++ : MaxReported - 1;
        }

        for (int i = at; i > 0; i--)
        {
            _recentRuns[i] = _recentRuns[i - 1];
        }

        _recentRuns[0] = run;
    }

    private void ScheduleAck(bool filledHole, long nowNs)
    {
        bool isMuch = _unacknowledgedBytes > _connection.ReceiveMss; // more than one full segment
        if (filledHole || _duplicate is not null || AlwaysQuick || isMuch || (_quickAcks > 0 && !_answers))
        {
            _quickAcks = Math.Max(_quickAcks - 1, 0);
            AckNow();
        }
        else if (!AckTimer.IsSet)
        {
            AckTimer.Set(nowNs + TcpLimits.DelayedAckNs);
        }
    }

    // Dynamic right-sizing: the buffer holds twice what was read in the last round trip, so that the window never limits the sender.
    private void GrowBuffer(long nowNs)
    {
        if (_bufferIsFixed || Next < _measureEnd)
        {
            return;
        }

        long rtt = Math.Max(_connection.SmoothedRttNs, 1_000_000);
        if (nowNs - _measureStartNs >= rtt)
        {
            long wanted = 4 * (_copiedInRound + (16 * _connection.ReceiveMss));
            if (_measureStartNs != 0 && wanted > _buffer)
            {
                _buffer = Math.Min(wanted, TcpLimits.MaxReceiveBuffer);
            }

            _copiedInRound = 0;
            _measureStartNs = nowNs;
        }

        _measureEnd = Next;
    }
}
