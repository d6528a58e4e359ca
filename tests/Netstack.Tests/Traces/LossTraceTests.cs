using System.Runtime.CompilerServices;
using Moat.Netstack.Tcp;
using Moat.Netstack.Tests.Simulation;

namespace Moat.Netstack.Tests.Traces;

/// <summary>What connections look like on the wire, segment by segment: loss, reordering, timeouts, windows, and when small segments and acknowledgments go out.</summary>
public sealed class LossTraceTests
{
    private const int Segment = 1448;

    private readonly PacketTrace _trace = new();

    [Fact]
    public void SegmentThatIsLost_IsSentAgainAfterThreeOthers()
    {
        using ConnectedPair pair = Quiet();
        Lose(pair.LeftLink, 2);
        Transfer(pair, 8 * Segment);
        Check();
    }

    [Fact]
    public void SegmentThatIsLost_IsSentAgainWithoutSackToo()
    {
        using ConnectedPair pair = Quiet((client, _) => client.Options.OffersSack = false);
        Lose(pair.LeftLink, 2);
        Transfer(pair, 8 * Segment);
        Check();
    }

    [Fact]
    public void TwoHoles_AreBothReported()
    {
        using ConnectedPair pair = Quiet();
        Lose(pair.LeftLink, 2, 5);
        Transfer(pair, 9 * Segment);
        Check();
    }

    [Fact]
    public void TailThatIsLost_IsProbedFor()
    {
        using ConnectedPair pair = Quiet();
        Lose(pair.LeftLink, 4, 5);
        Transfer(pair, 5 * Segment);
        Check();
    }

    [Fact]
    public void RetransmissionThatIsLost_IsFoundByWhatWasSentLater()
    {
        using ConnectedPair pair = Quiet();
        Lose(pair.LeftLink, 2, 15);
        Transfer(pair, 24 * Segment);
        Check();
    }

    [Fact]
    public void SegmentThatIsLate_IsTakenForLost_AndTheWindowComesBack()
    {
        using ConnectedPair pair = Quiet();
        int frame = 0;
        pair.LeftLink.Holds = _ => ++frame == 2 ? 8_000_000 : 0;
        Transfer(pair, 8 * Segment);
        int window = pair.Client.Status.CongestionWindow;
        Assert.True(window >= 10 * Segment, $"{window}");
        Check();
    }

    [Fact]
    public void AcknowledgmentsThatAreLost_CostNothing()
    {
        using ConnectedPair pair = Quiet();
        Lose(pair.RightLink, 1, 2, 3);
        Transfer(pair, 8 * Segment);
        Check();
    }

    [Fact]
    public void CableThatIsPulled_IsTriedEverMoreRarely()
    {
        using ConnectedPair pair = Quiet();
        pair.LeftLink.IsCut = true;
        pair.Client.Send(new byte[100], out _);
        pair.Wait(20_000);
        pair.LeftLink.IsCut = false;
        pair.Wait(20_000);
        Check();
    }

    [Fact]
    public void WindowThatIsClosed_IsProbed()
    {
        using ConnectedPair pair = Quiet((_, listener) => listener.Options.ReceiveBuffer = 8192);
        pair.Client.Send(new byte[20_000], out _);
        pair.Wait(1500);
        _trace.Say("read");
        byte[] buffer = new byte[20_000];
        pair.Accepted.Receive(buffer, out _);
        pair.Wait(100);
        Check();
    }

    [Fact]
    public void SmallWrites_WaitForTheFirst()
    {
        using ConnectedPair pair = Quiet();
        for (int i = 0; i < 5; i++)
        {
            pair.Client.Send(new byte[10], out _);
        }

        pair.Wait(30);
        Check();
    }

    [Fact]
    public void SmallWrites_WithNoDelay_DoNotWait()
    {
        using ConnectedPair pair = Quiet((client, _) => client.Options.NoDelay = true);
        for (int i = 0; i < 3; i++)
        {
            pair.Client.Send(new byte[10], out _);
        }

        pair.Wait(30);
        Check();
    }

    [Fact]
    public void EndOfALongWrite_DoesNotWaitForFullSegments()
    {
        using ConnectedPair pair = Quiet();
        pair.Client.Send(new byte[(3 * Segment) + 100], out _);
        pair.Wait(100);
        Check();
    }

    [Fact]
    public void Cork_HoldsBackAShortSegmentForATime()
    {
        using ConnectedPair pair = Quiet((client, _) => client.Options.Cork = true);
        pair.Client.Send(new byte[Segment + 100], out _);
        pair.Wait(500);
        Check();
    }

    [Fact]
    public void SmallWritesOneWay_AreAcknowledgedWhenTheyAreRead()
    {
        using ConnectedPair pair = Quiet();
        Exhaust(pair);
        for (int i = 0; i < 3; i++)
        {
            pair.Client.Send(new byte[10], out _);
            pair.Wait(6);
            pair.Accepted.Receive(new byte[100], out _);
            pair.Wait(6);
        }

        Check();
    }

    [Fact]
    public void RequestsAndAnswers_TakeTheAcknowledgmentsAlong()
    {
        using ConnectedPair pair = Quiet();
        for (int i = 0; i < 3; i++)
        {
            pair.Client.Send(new byte[10], out _);
            pair.Wait(5);
            pair.Accepted.Receive(new byte[100], out _);
            pair.Accepted.Send(new byte[20], out _);
            pair.Wait(5);
            pair.Client.Receive(new byte[100], out _);
        }

        pair.Wait(100);
        Check();
    }

    [Fact]
    public void SmallWritesThatNobodyReads_AreAcknowledgedLater()
    {
        using ConnectedPair pair = Quiet();
        Exhaust(pair);
        pair.Client.Send(new byte[10], out _);
        pair.Wait(100);
        Check();
    }

    [Fact]
    public void PathThatCarriesLess_GetsShorterSegments()
    {
        using ConnectedPair pair = Quiet((client, _) => client.Options.MaxSegment = 500);
        Transfer(pair, 1500);
        Check();
    }

    // A receiver acknowledges at once when a connection begins: this is over afterwards.
    private void Exhaust(ConnectedPair pair)
    {
        for (int i = 0; i < 20; i++)
        {
            pair.Client.Send(new byte[10], out _);
            pair.Wait(60);
            pair.Accepted.Receive(new byte[100], out _);
        }

        pair.Wait(100);
        _trace.Clear();
    }

    private static void Lose(SimulatedLink link, params int[] frames)
    {
        int frame = 0;
        link.Drops = _ => frames.Contains(++frame);
    }

    private static void Transfer(ConnectedPair pair, int length)
    {
        byte[] data = new byte[length];
        new Random(length).NextBytes(data);
        byte[] got = new byte[length];
        int sent = 0;
        int received = 0;
        Assert.True(pair.Network.RunUntil(
            () =>
            {
                sent += (int)pair.Client.Send(data.AsSpan(sent), out _);
                received += (int)pair.Accepted.Receive(got.AsSpan(received), out _);
                return received == length;
            },
            60_000_000_000));
        Assert.Equal(data, got);
        pair.Wait(300);
    }

    // A connection whose handshake is not shown.
    private ConnectedPair Quiet(Action<TcpSocket, TcpSocket>? configure = null)
    {
        ConnectedPair pair = new(connect: true, _trace, configure);
        pair.Wait(100);
        _trace.Clear();
        return pair;
    }

    private void Check([CallerMemberName] string test = "") => GoldenTrace.AssertIs(_trace.Text, test);
}
