using Moat.Netstack.Tcp;
using Moat.Netstack.Tests.Simulation;
using Moat.Netstack.Wire;

namespace Moat.Fuzz.Targets;

/// <summary>Segments whose sequence numbers nearly fit, and an application that does things between them. A part of the script is a segment, or what the application does.</summary>
internal sealed class SegmentsTarget : FuzzTarget
{
    private const byte Actions = 7;
    private const byte IsV6 = 8;
    private const int MaxBytes = 65536;

    private enum Action
    {
        Segment,
        SegmentAgain,
        Send,
        Receive,
        EndSending,
        Close,
        SendUrgent,
        Abort,
    }

    /// <inheritdoc/>
    public override string Name => "segments";

    /// <inheritdoc/>
    public override IReadOnlyList<byte[]> MakeSeeds()
    {
        const TcpFlags Ack = TcpFlags.ACK;
        byte[] selective = Convert.FromHexString("0101080a000000010000000001010101");
        byte[] synOptions = Convert.FromHexString("020405b40402080a00000001000000000103030700000000")[..20];
        List<byte[]> seeds = [];
        foreach (byte version in (byte[])[0, IsV6])
        {
            (byte, byte[]) Of(TcpFlags flags, short sequence, int data, byte port = 0, byte[]? options = null, short acknowledgment = 0) =>
                (version, [(byte)flags, (byte)sequence, (byte)(sequence >> 8), (byte)acknowledgment, (byte)(acknowledgment >> 8), 0xff, 0x7f, 0, 0, 0, port, (byte)(options?.Length ?? 0), .. options ?? [], .. new byte[data]]);
            (byte, byte[]) Does(Action action, int count, int wait = 0) => ((byte)((byte)action | version | (wait << 4)), new byte[count]);
            seeds.Add(Script.Of([Of(Ack, 0, 100), Does(Action.Receive, 100)]));
            seeds.Add(Script.Of([Of(Ack, 100, 100), Of(Ack, 300, 50), Of(Ack, 0, 100)]));
            seeds.Add(Script.Of([Does(Action.Send, 5000), Of(Ack, 0, 0, acknowledgment: -2000), Of(Ack, 0, 0, acknowledgment: -2000), Of(Ack, 0, 0, acknowledgment: -2000)]));
            seeds.Add(Script.Of([Does(Action.Send, 20000, 12), Of(Ack, 0, 0), Does(Action.Send, 2000, 13)]));
            seeds.Add(Script.Of([Of(Ack | TcpFlags.FIN, 0, 10), Does(Action.Receive, 2000), Does(Action.Close, 0), Of(Ack, 0, 0)]));
            seeds.Add(Script.Of([Does(Action.EndSending, 0), Of(Ack, 0, 0), Of(Ack | TcpFlags.FIN, 0, 0, options: selective)]));
            seeds.Add(Script.Of([Of(TcpFlags.RST, 0, 0)]));
            seeds.Add(Script.Of([Of(Ack | TcpFlags.RST, 5, 0), Of(Ack | TcpFlags.SYN, 5, 0)]));
            seeds.Add(Script.Of([Of(Ack | TcpFlags.URG | TcpFlags.PSH, 0, 20), Does(Action.SendUrgent, 3)]));
            seeds.Add(Script.Of([Of(TcpFlags.SYN, 77, 0, 1, synOptions), Of(Ack, 0, 0, 1), Of(Ack, 0, 200, 1), Does(Action.Abort, 0)]));
            seeds.Add(Script.Of([Of(TcpFlags.SYN, 77, 0, 2), Of(TcpFlags.SYN, 78, 0, 3), Of(Ack, 0, 0, 3), Of(Ack | TcpFlags.FIN, 0, 0, 3)]));
        }

        return seeds;
    }

    /// <inheritdoc/>
    public override void Run(ReadOnlySpan<byte> input)
    {
        using FuzzedHost host = new();
        ForgedPeer peer = new(host);
        Script script = new(input);
        while (script.TryNext(out byte operation, out ReadOnlySpan<byte> bytes))
        {
            bool isV6 = (operation & IsV6) != 0;
            Action action = (Action)(operation & Actions);
            if (action is Action.Segment or Action.SegmentAgain)
            {
                Deliver(host, peer.Segment(isV6, bytes), twice: action == Action.SegmentAgain);
            }
            else
            {
                Act(host.Accepted[isV6 ? 1 : 0], action, bytes.Length);
            }

            host.Stack.Flush();
            HostScript.Wait(host, operation);
        }

        host.Accepted.ForEach(static socket => socket.Close(abort: true));
        host.CheckMemory();
    }

    private static void Deliver(FuzzedHost host, byte[]? frame, bool twice)
    {
        if (frame is null)
        {
            return;
        }

        host.Link.Deliver(frame);
        if (twice)
        {
            host.Link.Deliver(frame);
        }
    }

    private static void Act(TcpSocket socket, Action action, int count)
    {
        SpanSource source = new(new byte[Math.Min(count, MaxBytes)]);
        switch (action)
        {
            case Action.Send or Action.SendUrgent:
                _ = socket.Send(ref source, more: (count & 1) != 0, isUrgent: action == Action.SendUrgent, out _);
                break;
            case Action.Receive:
                SpanSink sink = new(new byte[Math.Min(count, MaxBytes)]);
                _ = socket.Receive(ref sink, peek: (count & 1) != 0, out _);
                _ = socket.ReceiveUrgent(peek: false, out _);
                break;
            case Action.EndSending:
                _ = socket.Shutdown(receive: (count & 1) != 0, send: true);
                break;
            default:
                socket.Close(abort: action == Action.Abort);
                break;
        }

        _ = socket.Status;
        _ = socket.Readiness();
    }
}
