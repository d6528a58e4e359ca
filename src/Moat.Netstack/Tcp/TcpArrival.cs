using Moat.Netstack.Packets;
using Moat.Netstack.Sockets;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Tcp;

/// <summary>What segments that arrive do to a connection (RFC 9293 section 3.10.7). Guarded by the connection's lock.</summary>
internal sealed class TcpArrival(TcpConnection connection, TcpLayer layer)
{
    private const int OutsideBurst = 8; // probes of a window, a path that reorders

    private ReplyLimit _challenges = new(burst: 1);
    private ReplyLimit _outside = new(OutsideBurst);

    /// <summary>A segment for a connection that has sent SYN and heard nothing.</summary>
    public void ReceiveInSynSent(Packet packet, in TcpSegment segment, long now)
    {
        packet.Release(); // data with a SYN is sent again by whoever did not use fast open
        bool acknowledges = segment.Has(TcpFlags.ACK);
        if (acknowledges && (segment.Header.Acknowledgment <= connection.Sender.Unacknowledged || segment.Header.Acknowledgment > connection.Sender.Next))
        {
            if (!segment.Has(TcpFlags.RST))
            {
                layer.SendReset(connection.Key, segment);
            }

            return;
        }

        if (segment.Has(TcpFlags.RST))
        {
            if (acknowledges)
            {
                connection.Fail(NetError.ConnectionRefused);
            }

            return;
        }

        if (!segment.Has(TcpFlags.SYN))
        {
            return;
        }

        connection.Receiver.Start(segment.Start);
        connection.TakeHandshake(segment.Options, segment.Options.MaxSegmentSize);
        if (connection.UsesTimestamps)
        {
            connection.PeerClock.Take(segment.Options.TimestampValue, now);
        }

        if (!acknowledges)
        {
            connection.State = TcpState.SynReceived; // both sides connect at once
            connection.Transmitter.SendSyn(connection.Sender.Unacknowledged);
            return;
        }

        connection.Sender.Acknowledge(segment.Header.Acknowledgment, segment.Options, segment.Header.Window, segment.Start, isDuplicate: false, now);
        connection.Establish(segment.Start, segment.Header.Window, now);
        connection.Transmitter.SendAck();
    }

    /// <summary>A segment for a connection that knows the peer's sequence numbers.</summary>
    public void ReceiveSynchronized(Packet packet, in TcpSegment segment, long now)
    {
        if (!IsAcceptable(segment, now))
        {
            packet.Release();
            return;
        }

        if (segment.Has(TcpFlags.RST))
        {
            packet.Release();
            if (segment.Start == connection.Receiver.Next)
            {
                OnReset();
            }
            else
            {
                Challenge(now); // RFC 5961 section 3.2
            }

            return;
        }

        // Both sides have connected at once, and this is the answer to this side's SYN.
        bool isAnswer = connection.State == TcpState.SynReceived && segment.Has(TcpFlags.SYN) && segment.Has(TcpFlags.ACK)
            && segment.Start == connection.Receiver.Initial && segment.Header.Acknowledgment == connection.Sender.Next && segment.PayloadLength == 0;
        if (segment.Has(TcpFlags.SYN) && !isAnswer)
        {
            packet.Release();
            if (connection.State == TcpState.SynReceived && !segment.Has(TcpFlags.ACK) && segment.Start == connection.Receiver.Initial)
            {
                connection.Transmitter.SendSyn(connection.Sender.Unacknowledged);
            }
            else
            {
                Challenge(now); // RFC 5961 section 4.2
            }

            return;
        }

        if (!segment.Has(TcpFlags.ACK) || !TakeAcknowledgment(segment, now))
        {
            packet.Release();
            return;
        }

        TakePayload(packet, segment, now);
    }

    // RFC 9293 section 3.10.7.4, first: the sequence number; RFC 7323 section 5: timestamps.
    private bool IsAcceptable(in TcpSegment segment, long now)
    {
        if (connection.UsesTimestamps && segment.Options.HasTimestamps)
        {
            if (connection.PeerClock.IsOld(segment.Options.TimestampValue, now) && !segment.Has(TcpFlags.RST))
            {
                connection.AckIsDue = true;
                return false;
            }
        }

        SequenceNumber windowEnd = connection.Receiver.WindowEnd;
        bool inWindow = segment.End >= connection.Receiver.Next && segment.Start <= windowEnd && (segment.PayloadLength == 0 || segment.Start < windowEnd || segment.Start == connection.Receiver.Next);
        if (!inWindow)
        {
            if (!segment.Has(TcpFlags.RST))
            {
                connection.Receiver.EnterQuickAck();
                connection.Receiver.NoteDuplicate(segment.Start, segment.Start + segment.PayloadLength);
                connection.AckIsDue |= _outside.TryTake(segment, now);
            }

            return false;
        }

        if (connection.UsesTimestamps && segment.Options.HasTimestamps && segment.Start <= connection.Receiver.Next && !connection.PeerClock.IsBehind(segment.Options.TimestampValue))
        {
            connection.PeerClock.Take(segment.Options.TimestampValue, now);
        }

        return true;
    }

    private bool TakeAcknowledgment(in TcpSegment segment, long now)
    {
        SequenceNumber acknowledgment = segment.Header.Acknowledgment;
        if (acknowledgment > connection.Sender.Next || acknowledgment < connection.Sender.Unacknowledged - Math.Max(connection.Sender.MaxWindow, 1))
        {
            if (connection.State == TcpState.SynReceived)
            {
                layer.SendReset(connection.Key, segment);
            }
            else
            {
                Challenge(now); // RFC 5961 section 5.2
            }

            return false;
        }

        if (connection.State == TcpState.SynReceived)
        {
            if (acknowledgment <= connection.Sender.Unacknowledged)
            {
                return false;
            }

            int first = segment.Has(TcpFlags.SYN) ? segment.Header.Window : segment.Header.Window << connection.Sender.WindowScale;
            connection.Sender.Acknowledge(acknowledgment, segment.Options, first, segment.Start, isDuplicate: false, now);
            connection.Establish(segment.Start, first, now);
            if (connection.WantsFin)
            {
                connection.EnterFinState();
            }

            return true;
        }

        int window = segment.Header.Window << connection.Sender.WindowScale;
        bool isDuplicate = segment.PayloadLength == 0 && !segment.Has(TcpFlags.FIN) && acknowledgment == connection.Sender.Unacknowledged && window == connection.Sender.Window;
        bool wasFull = !connection.IsWritable(connection.Options.SendBuffer);
        if (acknowledgment >= connection.Sender.Unacknowledged)
        {
            connection.Sender.Acknowledge(acknowledgment, segment.Options, window, segment.Start, isDuplicate, now);
        }

        bool getsMemory = connection.LacksMemory && connection.Sender.Queue.Length < SocketMemory.GuaranteedBytes;
        if ((wasFull || getsMemory) && connection.IsWritable(connection.Options.SendBuffer))
        {
            connection.Notify(NetEvents.Writable);
        }

        if (connection.Sender.IsEmpty && !connection.WantsFin)
        {
            OnAllAcknowledged(now);
        }

        return true;
    }

    // FIN, if it was sent, has been acknowledged.
    private void OnAllAcknowledged(long now)
    {
        switch (connection.State)
        {
            case TcpState.FinWait1:
                connection.State = TcpState.FinWait2;
                connection.Notify(NetEvents.Writable); // a close that lingers waits for this
                if (connection.Observer is null)
                {
                    connection.KeepAlive.WaitForFin(now);
                }

                break;
            case TcpState.Closing:
                connection.LeaveToTimeWait(now); // the peer's FIN has been acknowledged
                break;
            case TcpState.LastAck:
                connection.Finish();
                break;
        }
    }

    private void TakePayload(Packet packet, in TcpSegment segment, long now)
    {
        if (connection.State is not (TcpState.Established or TcpState.FinWait1 or TcpState.FinWait2) && segment.PayloadLength > 0 && !connection.HasReceivedFin)
        {
            packet.Release();
            return;
        }

        SequenceNumber fin = segment.Start + segment.PayloadLength;
        if (segment.PayloadLength > 0 && connection.Observer is null && connection.State is TcpState.FinWait1 or TcpState.FinWait2 && fin > connection.Receiver.Next)
        {
            packet.Release(); // nobody will read it: the peer must know (RFC 1122 section 4.2.2.13)
            layer.SendReset(connection.Key, segment);
            connection.Finish();
            return;
        }

        if (segment.PayloadLength > 0 && !connection.HasReceivedFin)
        {
            connection.Urgent.OnSegment(packet, segment);
            packet.Pull(segment.Header.HeaderLength);
            connection.ReceiveMss = Math.Max(connection.ReceiveMss, Math.Min(segment.PayloadLength, packet.SegmentSize > 0 ? packet.SegmentSize : segment.PayloadLength));
            if (connection.Receiver.Receive(packet, segment.Start, segment.Has(TcpFlags.PSH), now))
            {
                connection.Notify(NetEvents.Readable);
            }
        }
        else
        {
            connection.AckIsDue |= segment.PayloadLength > 0 || segment.Has(TcpFlags.FIN); // sent again: the acknowledgment was lost
            packet.Release();
        }

        if (segment.Has(TcpFlags.FIN) && !connection.HasReceivedFin)
        {
            if (fin == connection.Receiver.Next)
            {
                OnFin(now);
            }
            else
            {
                connection.AckIsDue = true; // it comes again when what is missing has come
            }
        }
    }

    private void OnFin(long now)
    {
        connection.HasReceivedFin = true;
        connection.Receiver.Advance(1);
        connection.AckIsDue = true;
        switch (connection.State)
        {
            case TcpState.Established:
                connection.State = TcpState.CloseWait;
                break;
            case TcpState.FinWait1:
                connection.State = TcpState.Closing;
                break;
            case TcpState.FinWait2:
                connection.EnterTimeWait(now);
                break;
        }

        connection.Notify(NetEvents.Readable | NetEvents.ReadHangUp | (connection.HasShutDownSend ? NetEvents.HangUp : 0));
    }

    private void OnReset()
    {
        NetError error = connection.State switch
        {
            TcpState.SynReceived => NetError.ConnectionRefused,
            TcpState.CloseWait => NetError.BrokenPipe,
            _ => NetError.ConnectionReset,
        };
        connection.Fail(error);
    }

    private void Challenge(long now)
    {
        if (_challenges.TryTake(now))
        {
            connection.Transmitter.SendAck();
        }
    }
}
