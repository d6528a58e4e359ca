using Moat.Netstack.Interfaces;
using Moat.Netstack.Routing;
using Moat.Netstack.Tests.Simulation;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Tests;

/// <summary>Which way packets take, and what becomes of routes when interfaces come and go: as Linux shows it in a namespace with a veth pair.</summary>
public sealed class RoutingTests
{
    private static readonly IpAddress s_own = IpAddress.Parse("198.51.100.7");
    private static readonly IpAddress s_neighbor = IpAddress.Parse("198.51.100.9");

    private readonly NetworkStack _stack;
    private readonly NetworkInterface _ethernet;

    public RoutingTests()
    {
        SimulatedNetwork network = new(1);
        _stack = network.AddHost();
        network.Connect(_stack, "198.51.100.7/24", network.AddHost(), "198.51.100.9/24", new SimulatedPath(1_000_000));
        _ethernet = _stack.Interfaces[1];
    }

    [Fact]
    public void InterfaceThatIsDown_KeepsItsLocalRouteAlone()
    {
        Assert.Equal(["198.51.100.0/24 Unicast", "198.51.100.255/32 Broadcast", "198.51.100.7/32 Local"], RoutesOfEthernet());
        _stack.SetUp(_ethernet, false);
        Assert.Equal(["198.51.100.7/32 Local"], RoutesOfEthernet());
        Assert.Equal(NetError.NetworkUnreachable, _stack.Decide(s_neighbor, null, 0, out _));
        Assert.Equal(NetError.None, _stack.Decide(s_own, null, 0, out RouteDecision decision));
        Assert.True(decision.Interface.IsLoopback);

        Assert.Equal(NetError.None, _stack.AddAddress(_ethernet, new InterfaceAddress(IpAddress.Parse("198.18.0.1"), 16, null)));
        Assert.Equal(["198.18.0.1/32 Local", "198.51.100.7/32 Local"], RoutesOfEthernet());
        _stack.SetUp(_ethernet, true);
        Assert.Equal(["198.18.0.0/16 Unicast", "198.18.0.1/32 Local", "198.18.255.255/32 Broadcast", "198.51.100.0/24 Unicast", "198.51.100.255/32 Broadcast", "198.51.100.7/32 Local"], RoutesOfEthernet());
    }

    [Fact]
    public void TableThatNoRuleNames_IsNotLookedInto()
    {
        IpAddress far = IpAddress.Parse("198.18.1.1");
        Route route = new(IpAddress.Parse("198.18.0.0"), 16, _ethernet.Index) { Gateway = s_neighbor, Table = 100 };
        Assert.Equal(NetError.None, _stack.Routes.Add(route));
        Assert.Equal(NetError.NetworkUnreachable, _stack.Decide(far, null, 0, out _));
        Assert.Equal(NetError.None, _stack.Routes.Add(route with { Table = RoutingTable.Default }));
        Assert.Equal(NetError.None, _stack.Decide(far, null, 0, out RouteDecision decision));
        Assert.Equal((s_neighbor, s_own), (decision.NextHop, decision.Source));
    }

    [Fact]
    public void MainTable_GoesBeforeTheDefaultTable_WhateverThePrefix()
    {
        IpAddress far = IpAddress.Parse("198.18.1.1");
        Assert.Equal(NetError.None, _stack.Routes.Add(new Route(IpAddress.Parse("198.18.1.0"), 24, _ethernet.Index) { Gateway = IpAddress.Parse("198.51.100.10"), Table = RoutingTable.Default }));
        Assert.Equal(NetError.None, _stack.Routes.Add(new Route(IpAddress.AnyV4, 0, _ethernet.Index) { Gateway = s_neighbor }));
        Assert.Equal(NetError.None, _stack.Decide(far, null, 0, out RouteDecision decision));
        Assert.Equal(s_neighbor, decision.NextHop);
    }

    [Fact]
    public void InterfaceThatIsRemoved_LeavesNothing()
    {
        _stack.RemoveInterface(_ethernet);
        Assert.Single(_stack.Interfaces);
        Assert.Empty(RoutesOfEthernet());
        Assert.Equal(NetError.NetworkUnreachable, _stack.Decide(s_own, null, 0, out _));
    }

    private string[] RoutesOfEthernet() =>
        [.. _stack.Routes.List.Where(route => route.InterfaceIndex == _ethernet.Index).Select(static route => $"{route.Destination}/{route.PrefixLength} {route.Kind}").Order(StringComparer.Ordinal)];
}
