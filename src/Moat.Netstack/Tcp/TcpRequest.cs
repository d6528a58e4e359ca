using Moat.Netstack.Ip;
using Moat.Netstack.Packets;
using Moat.Netstack.Routing;
using Moat.Netstack.Sockets;
using Moat.Netstack.Timers;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Tcp;

/// <summary>A connection that a peer has begun and not finished: its SYN has been answered. Small, since anybody can make many.</summary>
internal sealed class TcpRequest(TcpListener listener, FlowKey key, TcpHandshake handshake, RouteDecision route) : TcpFlow(key)
{
    private readonly Lock _lock = new();
    private readonly TcpHandshake _handshake = handshake;
    private RouteDecision _route = route;
    private Retry? _retry;
    private int _retries;
    private bool _isGone; // guarded by _lock

    /// <summary>Sends the SYN-ACK and waits.</summary>
    public void Start(long nowNs)
    {
        _retry = new Retry(this);
        SendAnswer();
        listener.Layer.Stack.Timers.Set(_retry, nowNs + TcpLimits.InitialRtoNs);
    }

    /// <summary>Forgets the request: the listener is gone.</summary>
    public void Drop()
    {
        lock (_lock)
        {
            _isGone = true;
        }

        if (_retry is { } retry)
        {
            listener.Layer.Stack.Timers.Remove(retry);
        }

        listener.Layer.Forget(this);
    }

    /// <inheritdoc/>
    public override int HeldBytes => 512;

    /// <inheritdoc/>
    public override TcpFlowStatus Describe() => new() { Local = Key.Local, Remote = Key.Remote, Status = new TcpStatus { State = TcpState.SynReceived, Timeouts = _retries, Timer = TcpTimerKind.Retransmit } };

    /// <inheritdoc/>
    public override void Receive(Packet packet, in TcpSegment segment, in IpInfo info)
    {
        if (!SocketFiltering.Passes(listener.Options.Ip, packet, packet.Start, segment.Header.HeaderLength, info))
        {
            packet.Release();
            return;
        }

        Take(packet, segment.CutTo(packet.Length), info);
    }

    private void Take(Packet packet, in TcpSegment segment, in IpInfo info)
    {
        lock (_lock)
        {
            if (_isGone)
            {
                packet.Release();
                return;
            }

            SequenceNumber expected = _handshake.RemoteInitial + 1;
            if (segment.Has(TcpFlags.RST))
            {
                packet.Release();
                if (segment.Start == expected)
                {
                    _isGone = true;
                    listener.OnRequestGone(this);
                }

                return;
            }

            if (segment.Has(TcpFlags.SYN))
            {
                packet.Release();
                if (segment.Start == _handshake.RemoteInitial)
                {
                    SendAnswer();
                }

                return;
            }

            if (!segment.Has(TcpFlags.ACK) || segment.Header.Acknowledgment != _handshake.LocalInitial + 1)
            {
                if (segment.Has(TcpFlags.ACK))
                {
                    listener.Layer.SendReset(Key, segment);
                }

                packet.Release();
                return;
            }

            if (segment.Start < expected || segment.Start > expected + ushort.MaxValue)
            {
                packet.Release();
                return;
            }

            if (segment.PayloadLength == 0 && listener.Defers(_handshake.SentNs))
            {
                packet.Release();
                return; // TCP_DEFER_ACCEPT: the first data makes the connection
            }

            if (!listener.TryReserve())
            {
                packet.Release(); // the queue is full: the peer's data comes again
                return;
            }

            _isGone = true;
        }

        listener.Layer.Stack.Timers.Remove(_retry!);
        listener.Promote(this, _handshake, _route, packet, segment, info);
    }

    /// <inheritdoc/>
    public override void ReceiveError(in IpError error, SequenceNumber sequence)
    {
        lock (_lock)
        {
            if (_isGone || !error.IsHard || sequence != _handshake.LocalInitial)
            {
                return;
            }

            _isGone = true;
        }

        listener.OnRequestGone(this);
    }

    private void SendAnswer() => listener.Layer.SendSynAck(Key, _handshake, listener.Options, ref _route);

    private void OnRetry(long nowNs)
    {
        lock (_lock)
        {
            if (_isGone)
            {
                return;
            }

            if (_retries++ < TcpLimits.SynAckRetries)
            {
                SendAnswer();
                listener.Layer.Stack.Timers.Set(_retry!, nowNs + (TcpLimits.InitialRtoNs << _retries));
                return;
            }

            _isGone = true;
        }

        listener.OnRequestGone(this);
    }

    private sealed class Retry(TcpRequest owner) : NetTimer
    {
        protected internal override void OnExpired(long nowNs) => owner.OnRetry(nowNs);
    }
}
