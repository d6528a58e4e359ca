using Moat.Netstack.Packets;
using Moat.Netstack.Sockets;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Tcp;

/// <summary>Urgent data as Linux has it (tcp(7)): one byte, the last of what was sent as urgent, is kept apart from the stream, which has a mark in its place. Guarded by the connection's lock.</summary>
internal sealed class TcpUrgent(TcpConnection connection)
{
    private State _state;
    private SequenceNumber _mark;
    private byte _value;
    private int _dropped; // bytes in front of the queue that were urgent, were not read, and have been followed by another

    private enum State
    {
        None,
        Announced,
        Available,
        Taken,
    }

    /// <summary>Whether the byte can be received (POLLPRI).</summary>
    public bool IsAvailable => _state == State.Available;

    /// <summary>SIOCATMARK: whether the next byte that is read is the urgent one.</summary>
    public bool IsAtMark => _state != State.None && _mark == ReadPosition;

    /// <summary>Bytes that a read finds before it stops at the mark (FIONREAD).</summary>
    public int AvailableBytes
    {
        get
        {
            int all = connection.Receiver.AvailableBytes - _dropped;
            return _state == State.None || IsInline || _mark < ReadPosition || _mark >= connection.Receiver.Next ? all : _mark - ReadPosition;
        }
    }

    /// <summary>Whether a read finds so many bytes, not counting the urgent one at the mark.</summary>
    public bool HasBytes(int wanted)
    {
        int marked = IsAtMark && !IsInline ? 1 : 0;
        return connection.Receiver.AvailableBytes - _dropped >= wanted + marked;
    }

    private bool IsInline => connection.Options.OutOfBandInline;

    private SequenceNumber ReadPosition => connection.Receiver.ReadPosition + _dropped;

    /// <summary>A segment has come: takes its pointer, and the byte if it is there.</summary>
    /// <param name="packet">It begins with the TCP header.</param>
    /// <param name="segment">The header.</param>
    public void OnSegment(Packet packet, in TcpSegment segment)
    {
        if (segment.Has(TcpFlags.URG))
        {
            // The pointer counts from the segment's start to behind the byte (RFC 961's reading, which Linux follows, not RFC 1122's).
            Announce(segment.Start + Math.Max(segment.Header.UrgentPointer - 1, 0));
        }

        if (_state != State.Announced)
        {
            return;
        }

        int offset = _mark - segment.Start;
        if (offset >= 0 && offset < segment.PayloadLength)
        {
            _value = packet.PieceAt(segment.Header.HeaderLength + offset)[0];
            _state = State.Available;
            connection.Notify(NetEvents.Urgent | NetEvents.Readable);
        }
    }

    /// <summary>Receives the byte (MSG_OOB).</summary>
    /// <returns>Invalid if there is none or it is in the stream, WouldBlock if it has not come yet.</returns>
    public NetError Receive(bool peek, out byte value)
    {
        value = _value;
        if (IsInline || _state is State.None or State.Taken)
        {
            return NetError.Invalid;
        }

        if (_state == State.Announced)
        {
            return NetError.WouldBlock;
        }

        _state = peek ? _state : State.Taken;
        return NetError.None;
    }

    /// <summary>How many bytes to throw away before the next is read: urgent ones that nobody wanted.</summary>
    public int TakeDropped()
    {
        (int dropped, _dropped) = (_dropped, 0);
        return dropped;
    }

    /// <summary>What a read at a position meets.</summary>
    /// <param name="position">Where it is.</param>
    /// <param name="hasRead">Whether it has something already: then it stops at the mark.</param>
    /// <param name="limit">How many bytes it may take; 0 to stop.</param>
    /// <returns>Whether the byte at the position is passed over.</returns>
    public bool OnRead(SequenceNumber position, bool hasRead, out int limit)
    {
        limit = int.MaxValue;
        if (_state == State.None || _mark < position)
        {
            return false;
        }

        if (_mark > position)
        {
            limit = _mark - position;
            return false;
        }

        limit = hasRead ? 0 : limit;
        return !hasRead && !IsInline;
    }

    /// <summary>The stream has been read up to a position: a mark that lies before it is gone.</summary>
    public void OnConsumed(SequenceNumber position)
    {
        if (position > _mark)
        {
            _state = State.None;
        }
    }

    private void Announce(SequenceNumber mark)
    {
        if (ReadPosition > mark || mark < connection.Receiver.Next || (_state != State.None && mark <= _mark))
        {
            return;
        }

        if (_state != State.None && _mark == ReadPosition && !IsInline && connection.Receiver.AvailableBytes - _dropped > 0)
        {
            _dropped++;
        }

        (_state, _mark) = (State.Announced, mark);
        connection.Notify(NetEvents.UrgentSignal);
    }
}
