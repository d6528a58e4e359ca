using System.Runtime.CompilerServices;
using Moat.Netstack.Tcp;
using Moat.Netstack.Tests.Simulation;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Tests.Traces;

/// <summary>What connections look like on the wire, segment by segment: opening, closing, resets.</summary>
public sealed class TcpTraceTests
{
    private readonly PacketTrace _trace = new();

    [Fact]
    public void Handshake_Request_Answer_AndClose()
    {
        using ConnectedPair pair = new(trace: _trace);
        pair.Client.Send(new byte[100], out _);
        pair.Wait(6);
        pair.Accepted.Receive(new byte[100], out _);
        pair.Accepted.Send(new byte[200], out _);
        pair.Wait(10);
        pair.Client.Receive(new byte[200], out _);
        pair.Wait(100);
        pair.Client.Close(abort: false);
        pair.Wait(10);
        pair.Accepted.Close(abort: false);
        pair.Wait(1000);
        Check();
    }

    [Fact]
    public void PortThatNobodyListensOn_IsReset()
    {
        using ConnectedPair pair = new(connect: false, _trace);
        pair.Client.Connect(new IpEndpoint(ConnectedPair.RightAddress, 9));
        pair.Wait(1000);
        Assert.Equal(NetError.ConnectionRefused, pair.Client.FinishConnect());
        Check();
    }

    [Fact]
    public void PeerThatDoesNotAnswer_IsAskedElevenTimes()
    {
        using ConnectedPair pair = new(connect: false, _trace);
        pair.LeftLink.Drops = IsTcp;
        pair.Client.Connect(new IpEndpoint(ConnectedPair.RightAddress, 80));
        pair.Wait(200_000);
        Assert.Equal(NetError.TimedOut, pair.Client.FinishConnect());
        Check();
    }

    [Fact]
    public void AnswerToSynThatIsLost_IsSentAgain()
    {
        using ConnectedPair pair = new(connect: false, _trace);
        int answers = 0;
        pair.RightLink.Drops = frame => IsTcp(frame) && answers++ < 2;
        Assert.Equal(NetError.None, pair.Listener.Bind(new IpEndpoint(ConnectedPair.RightAddress, 80)));
        Assert.Equal(NetError.None, pair.Listener.Listen(5));
        pair.Client.Connect(pair.Listener.Local);
        pair.Wait(5000);
        Assert.Equal(TcpState.Established, pair.Client.State);
        Check();
    }

    [Fact]
    public void SidesThatConnectAtOnce_AreOneConnection()
    {
        using ConnectedPair pair = new(connect: false, _trace);
        using TcpSocket right = new(pair.Right.Tcp, isV6: false, new NoObserver());
        MakeNeighbors(pair);
        pair.Client.Bind(new IpEndpoint(ConnectedPair.LeftAddress, 1000));
        right.Bind(new IpEndpoint(ConnectedPair.RightAddress, 2000));
        pair.Client.Connect(right.Local);
        right.Connect(pair.Client.Local);
        pair.Wait(1000);
        Check();
    }

    [Fact]
    public void SidesThatCloseAtOnce_AreBothDone()
    {
        using ConnectedPair pair = Quiet();
        pair.Client.Shutdown(receive: false, send: true);
        pair.Accepted.Shutdown(receive: false, send: true);
        pair.Wait(1000);
        Check();
    }

    [Fact]
    public void CloseWithUnreadData_Resets()
    {
        using ConnectedPair pair = Quiet();
        pair.Client.Send(new byte[100], out _);
        pair.Wait(100);
        pair.Accepted.Close(abort: false);
        pair.Wait(100);
        Check();
    }

    [Fact]
    public void CloseWithNoLinger_Resets()
    {
        using ConnectedPair pair = Quiet();
        pair.Client.Close(abort: true);
        pair.Wait(100);
        Check();
    }

    [Fact]
    public void DataForASocketThatIsGone_IsReset()
    {
        using ConnectedPair pair = Quiet();
        pair.Accepted.Close(abort: false);
        pair.Wait(10);
        pair.Client.Send(new byte[100], out _);
        pair.Wait(100);
        Check();
    }

    [Fact]
    public void FinThatIsLost_IsSentAgain()
    {
        using ConnectedPair pair = Quiet();
        int lost = 0;
        pair.LeftLink.Drops = _ => lost++ < 2;
        pair.Client.Send(new byte[100], out _);
        pair.Client.Shutdown(receive: false, send: true);
        pair.Wait(3000);
        Check();
    }

    [Fact]
    public void LastAcknowledgmentThatIsLost_IsGivenAgainInTimeWait()
    {
        using ConnectedPair pair = Quiet();
        pair.Client.Close(abort: false);
        pair.Wait(100);
        int lost = 0;
        pair.LeftLink.Drops = _ => lost++ < 1;
        pair.Accepted.Close(abort: false);
        pair.Wait(1000);
        Check();
    }

    [Fact]
    public void KeepAlive_AsksAPeerThatIsSilent_AndGivesUp()
    {
        using ConnectedPair pair = Quiet();
        (pair.Client.Options.KeepAlive, pair.Client.Options.KeepAliveIdleNs, pair.Client.Options.KeepAliveIntervalNs, pair.Client.Options.KeepAliveCount) = (true, 10_000_000_000, 1_000_000_000, 2);
        pair.Client.ApplyOptions();
        pair.Wait(15_000);
        pair.RightLink.IsCut = true;
        pair.Wait(20_000);
        Check();
    }

    [Fact]
    public void UrgentData_IsPointedTo()
    {
        using ConnectedPair pair = Quiet();
        SpanSource source = new(new byte[3]);
        pair.Client.Send(ref source, more: false, isUrgent: true, out _);
        pair.Client.Send(new byte[5], out _);
        pair.Wait(100);
        Check();
    }

    private static bool IsTcp(byte[] frame) => frame.Length > 34 && frame[12] == 8 && frame[13] == 0 && frame[23] == (byte)IpProtocol.Tcp;

    // So that no segment waits for ARP.
    private void MakeNeighbors(ConnectedPair pair)
    {
        using TcpSocket nobody = new(pair.Left.Tcp, isV6: false, new NoObserver());
        nobody.Connect(new IpEndpoint(ConnectedPair.RightAddress, 9));
        pair.Wait(100);
        _trace.Clear();
    }

    // A connection whose handshake is not shown.
    private ConnectedPair Quiet()
    {
        ConnectedPair pair = new(trace: _trace);
        pair.Wait(100);
        _trace.Clear();
        return pair;
    }

    private void Check([CallerMemberName] string test = "") => GoldenTrace.AssertIs(_trace.Text, test);
}
