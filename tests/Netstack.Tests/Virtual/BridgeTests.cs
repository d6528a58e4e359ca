using Moat.Netstack.Bridging;
using Moat.Netstack.Interfaces;
using Moat.Netstack.Link;
using Moat.Netstack.Packets;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Tests.Virtual;

/// <summary>Bridges and pairs, frame by frame.</summary>
public sealed class BridgeTests
{
    private static readonly EthernetAddress s_first = new(0x0200_0000_0001);
    private static readonly EthernetAddress s_second = new(0x0200_0000_0002);
    private static readonly EthernetAddress s_third = new(0x0200_0000_0003);

    private readonly VirtualNetwork _network = new();
    private readonly NetworkStack _here;
    private readonly BridgeLink _bridge;
    private readonly List<VethLink> _ends = [];

    public BridgeTests()
    {
        _here = _network.AddStack();
        _here.DisablesV6ByDefault = true;
        _bridge = new BridgeLink(_network, new EthernetAddress(0x0200_0000_00ff));
        VirtualNetwork.Up(_here, "br", _bridge);
    }

    [Fact]
    public void Bridge_SendsUnknownAddressesToAllPortsButTheirOwn_AndKnownOnesToOne()
    {
        AddPorts(3);
        Send(0, s_second, s_first);
        Assert.Equal([0, 1, 1], Received());
        Send(1, s_first, s_second);
        Assert.Equal([1, 0, 0], Received());
        Send(0, s_second, s_first);
        Assert.Equal([0, 1, 0], Received());
    }

    [Fact]
    public void Bridge_ForgetsWhatItHasNotSeenForLong()
    {
        AddPorts(3);
        Send(1, s_first, s_second);
        _ = Received();
        _network.NowNs += _bridge.AgeingNs;
        Send(0, s_second, s_first);
        Assert.Equal([0, 1, 1], Received());
    }

    [Fact]
    public void Bridge_ForgetsWhatWasBehindAPortThatLeaves()
    {
        AddPorts(3);
        Send(1, s_first, s_second);
        _ = Received();
        Assert.Single(_bridge.Learned);
        _bridge.Remove(_bridge.Ports[1]);
        Assert.Empty(_bridge.Learned);
        Send(0, s_second, s_first);
        Assert.Equal([0, 0, 1], Received());
    }

    [Fact]
    public void Bridge_LearnsNoMoreThanItsTableHolds()
    {
        AddPorts(2);
        for (ulong i = 0; i < 6000; i++)
        {
            Send(0, s_second, new EthernetAddress(0x0200_0001_0000 + i));
        }

        Assert.Equal(4096, _bridge.Learned.Count);
        _ = Received();
        Send(1, new EthernetAddress(0x0200_0001_0000), s_third);
        Assert.Equal([1, 0], Received());
    }

    [Fact]
    public void Hairpin_SendsFramesBackThroughTheirPort()
    {
        AddPorts(2);
        Send(0, s_second, s_second);
        _ = Received();
        Send(0, s_second, s_first);
        Assert.Equal([0, 0], Received());
        _bridge.Ports[0].IsHairpin = true;
        Send(0, s_second, s_first);
        Assert.Equal([1, 0], Received());
    }

    [Fact]
    public void IsolatedPorts_DoNotReachOneAnother()
    {
        AddPorts(3);
        (_bridge.Ports[0].IsIsolated, _bridge.Ports[1].IsIsolated) = (true, true);
        Send(0, EthernetAddress.Broadcast, s_first);
        Assert.Equal([0, 0, 1], Received());
    }

    [Fact]
    public void ReservedGroups_AreNotPassedOn()
    {
        AddPorts(2);
        Send(0, new EthernetAddress(0x0180_c200_000e), s_first);
        Assert.Equal([0, 0], Received());
        Send(0, new EthernetAddress(0x0180_c200_0000), s_first);
        Assert.Equal([0, 1], Received());
    }

    [Fact]
    public void MalformedFrames_AreDropped()
    {
        AddPorts(2);
        Packet packet = _network.Pool.Rent(5);
        _ = packet.Append(5);
        _ends[0].Interface!.SendRaw(packet);
        _here.Flush();
        Packet own = _network.Pool.Rent(5);
        _ = own.Append(5);
        _bridge.Interface!.SendRaw(own);
        _here.Flush();
        Send(0, s_second, EthernetAddress.Broadcast); // nobody's address
        Assert.Equal([0, 0], Received());
    }

    [Fact]
    public void Loop_Ends_AndLeavesNothingBehind()
    {
        NetworkStack other = _network.AddStack();
        other.DisablesV6ByDefault = true;
        BridgeLink second = new(_network, new EthernetAddress(0x0200_0000_00fe));
        VirtualNetwork.Up(other, "br", second);
        for (int i = 0; i < 3; i++)
        {
            (VethLink left, VethLink right) = _network.Join(_here, $"l{i}", other, $"r{i}");
            Assert.Equal(NetError.None, _bridge.Add(left.Interface!));
            Assert.Equal(NetError.None, second.Add(right.Interface!));
        }

        AddPorts(1);
        Send(0, EthernetAddress.Broadcast, s_first);
        _network.Settle();
        Assert.True(_network.Postponed > 0, "the flood was delivered in one go");
        Assert.Equal(0, _network.Pool.Small.Rented);
    }

    [Fact]
    public void DeletedPair_TakesItsPortAlong()
    {
        AddPorts(2);
        NetworkInterface end = _ends[0].Interface!;
        end.Stack.Delete(end);
        Assert.Single(_bridge.Ports);
        Assert.Null(_here.FindInterface("p0"));
    }

    [Fact]
    public void Forwarding_AllocatesNothing()
    {
        AddPorts(2);
        for (int i = 0; i < 100; i++)
        {
            Send(i & 1, (i & 1) == 0 ? s_second : s_first, (i & 1) == 0 ? s_first : s_second);
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
        {
            Send(i & 1, (i & 1) == 0 ? s_second : s_first, (i & 1) == 0 ? s_first : s_second);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private void AddPorts(int count)
    {
        for (int i = 0; i < count; i++)
        {
            NetworkStack stack = _network.AddStack();
            stack.DisablesV6ByDefault = true;
            (VethLink port, VethLink end) = _network.Join(_here, $"p{i}", stack, "eth0");
            Assert.Equal(NetError.None, _bridge.Add(port.Interface!));
            _ends.Add(end);
        }

        _ = Received();
    }

    private void Send(int from, EthernetAddress to, EthernetAddress source)
    {
        const int Payload = 46;
        Packet packet = _network.Pool.Rent(EthernetHeader.Length + Payload);
        new EthernetHeader(to, source, (EtherType)0x88b5).Write(packet.Append(EthernetHeader.Length));
        packet.Append(Payload).Clear();
        _ends[from].Interface!.SendRaw(packet);
        _ends[from].Interface!.Flush();
    }

    // What has come to each end since the last time.
    private int[] Received()
    {
        int[] counts = [.. _ends.Select((end, i) => (int)end.Interface!.Statistics.ReceivedPackets - _seen[i])];
        for (int i = 0; i < counts.Length; i++)
        {
            _seen[i] += counts[i];
        }

        return counts;
    }

    private readonly int[] _seen = new int[16];
}
