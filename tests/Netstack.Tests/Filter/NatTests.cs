using Moat.Netstack.Filter;
using Moat.Netstack.Filter.Nat;
using Moat.Netstack.Filter.Tracking;
using Moat.Netstack.Interfaces;
using Moat.Netstack.Routing;
using Moat.Netstack.Sockets;
using Moat.Netstack.Tcp;
using Moat.Netstack.Tests.Simulation;
using Moat.Netstack.Udp;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Tests.Filter;

/// <summary>Rules, tracked connections and changed addresses, with packets that pass real sockets of simulated hosts.</summary>
public sealed class NatTests
{
    private const long Second = 1_000_000_000;
    private static readonly IpAddress s_resolver = IpAddress.Parse("127.0.0.11");

    [Fact]
    public void Output_DestinationNatOnLoopback_AnswersComeFromWhereTheyWereAsked()
    {
        SimulatedNetwork network = new(1);
        NetworkStack stack = network.AddHost();
        FilterExpression[] toResolver = [new FlowMatch { Protocol = IpProtocol.Udp, Destination = s_resolver, DestinationPort = 53 }, new NatAction(NatKind.Destination, NatRange.Of(new IpEndpoint(s_resolver, 41234)))];
        stack.Filter.Replace([], [RulesetOf(FilterHook.Output, FilterChainKind.Nat, new FilterRule(toResolver))]);

        using UdpSocket server = new(stack.Udp, isV6: false, new NoObserver());
        Assert.Equal(NetError.None, server.Bind(new IpEndpoint(s_resolver, 41234)));
        using UdpSocket client = new(stack.Udp, isV6: false, new NoObserver());
        Assert.Equal(NetError.None, client.Connect(new IpEndpoint(s_resolver, 53)));
        Assert.Equal(NetError.None, Send(client, "who", null));
        Assert.Equal("who", Receive(server, out IpEndpoint asker));
        Assert.Equal(NetError.None, Send(server, "me", asker));
        Assert.Equal("me", Receive(client, out IpEndpoint answerer));
        Assert.Equal(new IpEndpoint(s_resolver, 53), answerer);

        TrackedFlow flow = Assert.Single(stack.Filter.Flows.List());
        Assert.True(flow.Has(FlowStatus.DestinationNat) && flow.Has(FlowStatus.SeenReply));
        Assert.Equal(53, flow.Original.DestinationPort);
        Assert.Equal(41234, flow.Reply.SourcePort);
    }

    [Fact]
    public void Output_RedirectedTcp_ConnectsAndMovesData()
    {
        SimulatedNetwork network = new(1);
        NetworkStack stack = network.AddHost();
        IpEndpoint elsewhere = new(IpAddress.Parse("127.9.9.9"), 80);
        NatRange range = new(NatFlags.Ports, default, default, 8080, 8080);
        stack.Filter.Replace([], [RulesetOf(FilterHook.Output, FilterChainKind.Nat, new FilterRule([new FlowMatch { Protocol = IpProtocol.Tcp, DestinationPort = 80 }, new NatAction(NatKind.Redirect, range)]))]);
        using TcpSocket listener = new(stack.Tcp, isV6: false, new NoObserver());
        Assert.Equal(NetError.None, listener.Bind(new IpEndpoint(IpAddress.LoopbackV4, 8080)));
        Assert.Equal(NetError.None, listener.Listen(5));
        using TcpSocket client = new(stack.Tcp, isV6: false, new NoObserver());
        Assert.Equal(NetError.InProgress, client.Connect(elsewhere));
        Assert.Equal(NetError.None, client.FinishConnect());
        Assert.Equal(elsewhere, client.Remote);
        Assert.Equal(NetError.None, listener.Accept(out TcpSocket? accepted));
        using (accepted)
        {
            byte[] data = new byte[30_000];
            new Random(3).NextBytes(data);
            Assert.Equal(data.Length, client.Send(data, out _));
            byte[] got = new byte[data.Length];
            Assert.Equal(data.Length, accepted!.Receive(got, out _));
            Assert.Equal(data, got);
            Assert.Equal(TcpTrackState.Established, Assert.Single(stack.Filter.Flows.List()).Tcp);
        }
    }

    [Fact]
    public void Router_Masquerades_AndTranslatesErrorsBack()
    {
        SimulatedNetwork network = new(2);
        (NetworkStack inside, NetworkStack router, NetworkStack outside) = MakeRouter(network);
        NatAction masquerade = new(NatKind.Masquerade, default);
        router.Filter.Replace([], [RulesetOf(FilterHook.Postrouting, FilterChainKind.Nat, new FilterRule([new FlowMatch { Source = IpAddress.Parse("198.18.1.2") }, masquerade]))]);

        using UdpSocket server = new(outside.Udp, isV6: false, new NoObserver());
        Assert.Equal(NetError.None, server.Bind(new IpEndpoint(IpAddress.Parse("198.18.2.2"), 7)));
        using UdpSocket client = new(inside.Udp, isV6: false, new NoObserver());
        Assert.Equal(NetError.None, client.Connect(new IpEndpoint(IpAddress.Parse("198.18.2.2"), 7)));
        Assert.Equal(NetError.None, Send(client, "out", null));
        IpEndpoint seen = default;
        Assert.True(network.RunUntil(() => TryReceive(server, "out", out seen), 10 * Second));
        Assert.Equal(IpAddress.Parse("198.18.2.1"), seen.Address);
        Assert.Equal(NetError.None, Send(server, "back", seen));
        Assert.True(network.RunUntil(() => TryReceive(client, "back", out _), 10 * Second));

        // Nobody listens at this port: the error quotes the changed packet, and the client hears of its own.
        Assert.Equal(NetError.None, client.Connect(new IpEndpoint(IpAddress.Parse("198.18.2.2"), 9)));
        Assert.Equal(NetError.None, Send(client, "nobody", null));
        Assert.True(network.RunUntil(() => client.TakeError() == NetError.ConnectionRefused, 10 * Second));
    }

    [Fact]
    public void Router_PublishesAPort_AndTcpSurvivesLossThroughIt()
    {
        SimulatedNetwork network = new(3);
        (NetworkStack inside, NetworkStack router, NetworkStack outside) = MakeRouter(network, loss: 0.02);
        NatAction publish = new(NatKind.Destination, NatRange.Of(new IpEndpoint(IpAddress.Parse("198.18.1.2"), 80)));
        FlowMatch published = new() { Protocol = IpProtocol.Tcp, Destination = IpAddress.Parse("198.18.2.1"), DestinationPort = 8080 };
        router.Filter.Replace([], [RulesetOf(FilterHook.Prerouting, FilterChainKind.Nat, new FilterRule([published, publish]))]);
        using TcpSocket listener = new(inside.Tcp, isV6: false, new NoObserver());
        Assert.Equal(NetError.None, listener.Bind(new IpEndpoint(IpAddress.AnyV4, 80)));
        Assert.Equal(NetError.None, listener.Listen(5));
        using TcpSocket client = new(outside.Tcp, isV6: false, new NoObserver());
        Assert.Equal(NetError.InProgress, client.Connect(new IpEndpoint(IpAddress.Parse("198.18.2.1"), 8080)));
        TcpSocket? accepted = null;
        Assert.True(network.RunUntil(() => listener.Accept(out accepted) == NetError.None, 60 * Second));
        byte[] data = new byte[400_000];
        new Random(4).NextBytes(data);
        byte[] got = new byte[data.Length];
        int sent = 0;
        int received = 0;
        Assert.True(network.RunUntil(
            () =>
            {
                sent += Math.Max(0, (int)client.Send(data.AsSpan(sent), out _));
                received += Math.Max(0, (int)accepted!.Receive(got.AsSpan(received), out _));
                return received == data.Length;
            },
            600 * Second));
        Assert.Equal(data, got);
        accepted!.Dispose();
    }

    [Fact]
    public void SourceNat_TwoClientsOfOnePort_GetDifferentPorts()
    {
        SimulatedNetwork network = new(5);
        NetworkStack stack = network.AddHost();
        NatRange range = NatRange.Of(IpAddress.Parse("127.0.0.50"));
        stack.Filter.Replace([], [RulesetOf(FilterHook.Postrouting, FilterChainKind.Nat, new FilterRule([new FlowMatch { DestinationPort = 99 }, new NatAction(NatKind.Source, range)]))]);
        using UdpSocket server = new(stack.Udp, isV6: false, new NoObserver());
        Assert.Equal(NetError.None, server.Bind(new IpEndpoint(IpAddress.LoopbackV4, 99)));
        HashSet<IpEndpoint> seen = [];
        for (uint i = 1; i <= 3; i++)
        {
            using UdpSocket client = new(stack.Udp, isV6: false, new NoObserver());
            Assert.Equal(NetError.None, client.Bind(new IpEndpoint(IpAddress.FromV4(0x7f00_0100 + i), 5555)));
            Assert.Equal(NetError.None, Send(client, "x", new IpEndpoint(IpAddress.LoopbackV4, 99)));
            Assert.Equal("x", Receive(server, out IpEndpoint from));
            Assert.Equal(IpAddress.Parse("127.0.0.50"), from.Address);
            Assert.True(seen.Add(from), $"{from} twice");
            Assert.Equal(NetError.None, Send(server, "y", from));
            Assert.Equal("y", Receive(client, out _));
        }
    }

    [Fact]
    public void Output_Drop_IsToldToTheSender()
    {
        NetworkStack stack = new SimulatedNetwork(1).AddHost();
        RuleCounter counter = new();
        stack.Filter.Replace([], [RulesetOf(FilterHook.Output, FilterChainKind.Filter, new FilterRule([new FlowMatch { Protocol = IpProtocol.Udp, DestinationPort = 7 }, counter, new Verdict(FilterStep.Drop)]))]);
        using UdpSocket client = new(stack.Udp, isV6: false, new NoObserver());
        Assert.Equal(NetError.NotPermitted, Send(client, "abc", new IpEndpoint(IpAddress.LoopbackV4, 7)));
        Assert.Equal((1L, 31L), (counter.Packets, counter.Bytes));
    }

    [Fact]
    public void Input_Reject_RefusesConnectionsBothWays()
    {
        NetworkStack stack = new SimulatedNetwork(1).AddHost();
        FilterRule reset = new([new FlowMatch { Protocol = IpProtocol.Tcp, DestinationPort = 81 }, new Reject(RejectKind.Reset, 0, 0)]);
        FilterRule error = new([new FlowMatch { Protocol = IpProtocol.Tcp, DestinationPort = 82 }, new Reject(RejectKind.Unreachable, 3, 4)]);
        stack.Filter.Replace([], [RulesetOf(FilterHook.Input, FilterChainKind.Filter, reset, error)]);
        foreach (ushort port in (ushort[])[81, 82])
        {
            foreach (IpAddress address in (IpAddress[])[IpAddress.LoopbackV4, IpAddress.LoopbackV6])
            {
                using TcpSocket listener = new(stack.Tcp, !address.IsV4, new NoObserver());
                Assert.Equal(NetError.None, listener.Bind(new IpEndpoint(address, port)));
                Assert.Equal(NetError.None, listener.Listen(1));
                using TcpSocket client = new(stack.Tcp, !address.IsV4, new NoObserver());
                Assert.Equal(NetError.InProgress, client.Connect(new IpEndpoint(address, port)));
                Assert.Equal(NetError.ConnectionRefused, client.FinishConnect());
            }
        }
    }

    [Fact]
    public void Flows_BeyondTheLimit_DisplaceUnansweredOnes()
    {
        SimulatedNetwork network = new(1);
        NetworkStack stack = network.AddHost();
        stack.Filter.Replace([], [RulesetOf(FilterHook.Output, FilterChainKind.Nat)]);
        FlowTable flows = stack.Filter.Flows;
        for (int i = 0; i < FlowTable.MaxFlows + 100; i++)
        {
            FlowTuple tuple = new(IpAddress.FromV4(0xc612_0000 + (uint)(i >> 8)), IpAddress.LoopbackV4, (ushort)(i & 0xff), 9, IpProtocol.Udp);
            TrackedFlow flow = flows.Create(tuple);
            flow.Follow(0, isReply: false, network.NowNs);
            Assert.NotNull(flows.Confirm(flow));
        }

        Assert.Equal(FlowTable.MaxFlows, flows.Count);
        _ = network.RunUntil(() => false, 40 * Second);
        Assert.Equal(0, flows.Count);
        Assert.Empty(flows.List());
    }

    [Fact]
    public void Rules_AllocateNothing()
    {
        NetworkStack stack = new SimulatedNetwork(1).AddHost();
        FilterRule[] rules = [.. Enumerable.Range(1, 20).Select(static port => new FilterRule([new FlowMatch { Protocol = IpProtocol.Udp, DestinationPort = (ushort)(60_000 + port) }, new RuleCounter(), new Verdict(FilterStep.Drop)]))];
        stack.Filter.Replace([], [RulesetOf(FilterHook.Input, FilterChainKind.Filter, rules), RulesetOf(FilterHook.Postrouting, FilterChainKind.Nat)]);
        using UdpSocket server = new(stack.Udp, isV6: false, new NoObserver());
        Assert.Equal(NetError.None, server.Bind(new IpEndpoint(IpAddress.LoopbackV4, 99)));
        using UdpSocket client = new(stack.Udp, isV6: false, new NoObserver());
        Assert.Equal(NetError.None, client.Connect(new IpEndpoint(IpAddress.LoopbackV4, 99)));
        byte[] message = [1, 2, 3];
        byte[] room = new byte[8];
        for (int i = 0; i < 50; i++)
        {
            Exchange(client, server, message, room);
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 200; i++)
        {
            Exchange(client, server, message, room);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static void Exchange(UdpSocket client, UdpSocket server, byte[] message, byte[] room)
    {
        SpanSource source = new(message);
        SpanSink sink = new(room);
        if (client.Send(ref source, null, default, out _) != NetError.None || server.Receive(ref sink, false, out _) != NetError.None)
        {
            throw new InvalidOperationException("lost");
        }
    }

    private static FilterRuleset RulesetOf(FilterHook hook, FilterChainKind kind, params FilterRule[] rules)
    {
        FilterChain chain = new(0);
        return new FilterRuleset { HasV4 = true, HasV6 = true, Chains = [rules], Bases = [new FilterBase(chain, hook, 0, kind, FilterStep.Accept)] };
    }

    // inside (198.18.1.2) -- router -- outside (198.18.2.2)
    private static (NetworkStack Inside, NetworkStack Router, NetworkStack Outside) MakeRouter(SimulatedNetwork network, double loss = 0)
    {
        NetworkStack inside = network.AddHost();
        NetworkStack router = network.AddHost();
        NetworkStack outside = network.AddHost();
        SimulatedPath path = new(Second / 1000, loss);
        _ = network.Connect(inside, "198.18.1.2/24", router, "198.18.1.1/24", path);
        _ = network.Connect(router, "198.18.2.1/24", outside, "198.18.2.2/24", path);
        router.ForwardsV4 = true;
        foreach ((NetworkStack stack, string gateway) in ((NetworkStack, string)[])[(inside, "198.18.1.1"), (outside, "198.18.2.1")])
        {
            Assert.Equal(NetError.None, stack.Routes.Add(new Route(IpAddress.AnyV4, 0, 2) { Gateway = IpAddress.Parse(gateway) }));
        }

        return (inside, router, outside);
    }

    private static NetError Send(UdpSocket socket, string text, IpEndpoint? to)
    {
        SpanSource source = new(System.Text.Encoding.ASCII.GetBytes(text));
        return socket.Send(ref source, to, default, out _);
    }

    private static string? Receive(UdpSocket socket, out IpEndpoint from)
    {
        byte[] room = new byte[2048];
        SpanSink sink = new(room);
        NetError error = socket.Receive(ref sink, false, out ReceivedDatagram received);
        from = received.Source;
        return error == NetError.None ? System.Text.Encoding.ASCII.GetString(room, 0, (int)received.Length) : null;
    }

    private static bool TryReceive(UdpSocket socket, string text, out IpEndpoint from) => Receive(socket, out from) == text;
}
