using Moat.Netstack.Autoconfiguration;
using Moat.Netstack.Interfaces;
using Moat.Netstack.Routing;
using Moat.Netstack.Tests.Simulation;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Tests.Autoconfiguration;

/// <summary>What an interface takes from its link by itself (RFC 4861, RFC 4862), and what it does not take.</summary>
public sealed class AutoconfigurationTests
{
    private const long SecondNs = 1_000_000_000;

    private readonly SimulatedNetwork _network = new(3);
    private readonly NetworkStack _stack;
    private readonly NetworkInterface _eth;
    private readonly SimulatedLink _link;
    private readonly List<string> _sent = [];

    public AutoconfigurationTests()
    {
        _stack = _network.AddHost();
        _stack.Autoconfiguration.AcceptsAdvertisements = 1;
        _link = _network.Connect(_stack, "198.51.100.1/24", _network.AddHost(), "198.51.100.2/24", new SimulatedPath(DelayNs: 1000)).Left;
        _eth = _stack.FindInterface("eth0")!;
        _link.Drops = frame =>
        {
            if (frame[12] == 0x86 && frame[20] == 58)
            {
                _sent.Add($"{_network.NowNs / SecondNs}: {Convert.ToHexStringLower(frame)}");
            }

            return true;
        };
    }

    [Fact]
    public void RouterSolicitations_AreThreeAndThenNoMore()
    {
        Pass(60);
        string[] asked = [.. _sent.Where(static line => line.Contains("3aff", StringComparison.Ordinal) && line.Contains("00000000000000000000000285", StringComparison.Ordinal)).Select(static line => line[(line.IndexOf(' ', StringComparison.Ordinal) + 1)..])];
        Assert.Equal(3, asked.Length);

        // To all routers, hop limit 255, from its own address with the link-layer address as an option.
        const string Golden = "333300000002020000000005" + "86dd" + "6000000000103aff" + "fe80000000000000000000fffe000005" + "ff020000000000000000000000000002" + "8500";
        Assert.All(asked, frame => Assert.StartsWith(Golden, frame, StringComparison.Ordinal));
        Assert.All(asked, static frame => Assert.EndsWith("00000000" + "0101020000000005", frame, StringComparison.Ordinal));
    }

    [Fact]
    public void Advertisement_GivesRouteAddressHopLimitAndMtu()
    {
        _link.Deliver(RouterFrames.Advertisement(1800, 33, RouterFrames.Prefix("2001:db8:1::", 64, 3600, 1800), RouterFrames.Mtu(1400)));
        Assert.Equal("2001:db8:1::ff:fe00:5", Addresses());
        Assert.Equal(33, _eth.HopLimit);
        Assert.Equal(NetError.None, _stack.Decide(IpAddress.Parse("2001:db8:9::9"), null, 0, out RouteDecision far));
        Assert.Equal((IpAddress.Parse(RouterFrames.Router), 1400, IpAddress.Parse("2001:db8:1::ff:fe00:5")), (far.NextHop, far.Mtu, far.Source));
        Assert.Equal(NetError.None, _stack.Decide(IpAddress.Parse("2001:db8:1::7"), null, 0, out RouteDecision near));
        Assert.Equal((IpAddress.Parse("2001:db8:1::7"), 1400), (near.NextHop, near.Mtu));
    }

    [Fact]
    public void Lifetimes_EndOneAfterTheOther()
    {
        _link.Deliver(RouterFrames.Advertisement(100, 0, RouterFrames.Prefix("2001:db8:1::", 64, 300, 200)));
        Pass(150);
        Assert.DoesNotContain(_stack.Routes.List, static route => route.Gateway is not null);
        Assert.Equal("2001:db8:1::ff:fe00:5", Addresses());
        Pass(100);
        Assert.Equal("2001:db8:1::ff:fe00:5 deprecated", Addresses());
        Pass(100);
        Assert.Equal("", Addresses());
        Assert.DoesNotContain(_stack.Routes.List, static route => route.Destination == IpAddress.Parse("2001:db8:1::"));
    }

    [Fact]
    public void ShortLifetime_LeavesAnAddressTwoHours()
    {
        _link.Deliver(RouterFrames.Advertisement(100, 0, RouterFrames.Prefix("2001:db8:1::", 64, uint.MaxValue, uint.MaxValue)));
        _link.Deliver(RouterFrames.Advertisement(100, 0, RouterFrames.Prefix("2001:db8:1::", 64, 1, 0)));
        Assert.Equal("2001:db8:1::ff:fe00:5 deprecated", Addresses());
        Pass(7100);
        Assert.Equal("2001:db8:1::ff:fe00:5 deprecated", Addresses());
        Pass(200);
        Assert.Equal("", Addresses());
    }

    [Fact]
    public void LifetimeOfZero_EndsARouter()
    {
        _link.Deliver(RouterFrames.Advertisement(100, 0));
        Assert.Contains(_stack.Routes.List, static route => route.Gateway == IpAddress.Parse(RouterFrames.Router));
        _link.Deliver(RouterFrames.Advertisement(0, 0));
        Assert.DoesNotContain(_stack.Routes.List, static route => route.Gateway is not null);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Advertisements_AreIgnoredWhereTheyAreNotWanted(int accepts)
    {
        _eth.Autoconfiguration.AcceptsAdvertisements = accepts;
        _stack.ForwardsV6 = accepts == 1;
        _link.Deliver(RouterFrames.Advertisement(100, 20, RouterFrames.Prefix("2001:db8:1::", 64, 300, 200)));
        Assert.Equal(("", 64), (Addresses(), _eth.HopLimit));
        Assert.DoesNotContain(_stack.Routes.List, static route => route.Gateway is not null);
    }

    [Fact]
    public void BadAdvertisements_ChangeNothing()
    {
        byte[] prefix = RouterFrames.Prefix("2001:db8:1::", 64, 300, 200);
        byte[] good = [134, 0, 0, 0, 9, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, .. prefix];
        byte[] withoutLength = [.. good, 1, 0, 0, 0, 0, 0, 0, 0];
        byte[] withTooMuch = [.. good, 1, 2, 0, 0, 0, 0, 0, 0];
        byte[] withCode = [.. good];
        withCode[1] = 1;
        _link.Deliver(RouterFrames.Frame(good, RouterFrames.Router, "ff02::1", hops: 254));
        _link.Deliver(RouterFrames.Frame(good, "2001:db8::1", "ff02::1"));
        _link.Deliver(RouterFrames.Frame(withoutLength, RouterFrames.Router, "ff02::1"));
        _link.Deliver(RouterFrames.Frame(withTooMuch, RouterFrames.Router, "ff02::1"));
        _link.Deliver(RouterFrames.Frame(withCode, RouterFrames.Router, "ff02::1"));
        _link.Deliver(RouterFrames.Frame(good[..14], RouterFrames.Router, "ff02::1"));
        Assert.Equal(("", 64), (Addresses(), _eth.HopLimit));
        Assert.DoesNotContain(_stack.Routes.List, static route => route.Gateway is not null);
        _link.Deliver(RouterFrames.Frame(good, RouterFrames.Router, "ff02::1"));
        Assert.Equal("2001:db8:1::ff:fe00:5", Addresses());
    }

    [Fact]
    public void BadPrefixes_AreSkipped()
    {
        byte[][] options =
        [
            RouterFrames.Prefix("fe80::", 64, 300, 200), RouterFrames.Prefix("ff02::", 64, 300, 200), RouterFrames.Prefix("2001:db8:2::", 64, 200, 300),
            RouterFrames.Prefix("2001:db8:3::", 129, 300, 200), RouterFrames.Prefix("2001:db8:4::", 48, 300, 200, flags: 0x40), RouterFrames.Prefix("2001:db8:5::", 64, 0, 0),
            RouterFrames.Prefix("2001:db8:6::", 64, 300, 200, flags: 0), RouterFrames.Mtu(1279), RouterFrames.Mtu(9000),
        ];
        _link.Deliver(RouterFrames.Advertisement(100, 0, options));
        Assert.Equal("", Addresses());
        Assert.Equal(NetError.None, _stack.Decide(IpAddress.Parse("2001:db8:9::9"), IpAddress.LoopbackV6, 0, out RouteDecision route));
        Assert.Equal(1500, route.Mtu);
        Assert.Equal(1, _stack.Routes.List.Count(static route => !route.Destination.IsV4 && route.Kind == RouteKind.Unicast && !route.Destination.IsLinkLocal));
    }

    [Fact]
    public void FloodOfRoutersAndPrefixes_IsBounded()
    {
        for (int i = 0; i < 500; i++)
        {
            byte[] message = [134, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, .. RouterFrames.Prefix($"2001:db8:{i:x}::", 64, 300, 200)];
            _link.Deliver(RouterFrames.Frame(message, $"fe80::{i + 1:x}", "ff02::1"));
        }

        Assert.Equal(RouterDiscovery.MaxEach, Addresses().Split(',').Length);
        Assert.Equal(RouterDiscovery.MaxEach, _stack.Routes.List.Count(static route => route.Gateway is not null));
        Assert.Equal(RouterDiscovery.MaxEach, _stack.Routes.List.Count(static route => route.PrefixLength == 64 && !route.Destination.IsLinkLocal));
        _stack.SetUp(_eth, false);
        Assert.Equal("", Addresses());
    }

    [Fact]
    public void TentativeAddress_IsAskedForAndThenUsed()
    {
        IpAddress wanted = IpAddress.Parse("2001:db8::7");
        (_eth.Autoconfiguration.DetectsDuplicates, _eth.Autoconfiguration.Transmits) = (1, 2);
        Assert.Equal(NetError.None, _stack.AddAddress(_eth, new InterfaceAddress(wanted, 64, null)));
        Assert.Equal("2001:db8::7 tentative", Addresses());
        Assert.NotEqual(RouteKind.Local, _stack.Routes.Find(wanted, 0)!.Kind);
        Pass(4);
        Assert.Equal("2001:db8::7", Addresses());
        Assert.Equal(RouteKind.Local, _stack.Routes.Find(wanted, 0)!.Kind);

        // From nowhere to the group of the address, without an option.
        const string Golden = "3333ff000007020000000005" + "86dd" + "6000000000183aff" + "00000000000000000000000000000000" + "ff0200000000000000000001ff000007" + "8700";
        Assert.Equal(2, _sent.Count(line => line.Contains(Golden, StringComparison.Ordinal) && line.EndsWith("00000000" + "20010db8000000000000000000000007", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void AddressOfSomebodyElse_IsNotTaken(bool isClaimed)
    {
        IpAddress wanted = IpAddress.Parse("2001:db8::7");
        _eth.Autoconfiguration.DetectsDuplicates = 1;
        Assert.Equal(NetError.None, _stack.AddAddress(_eth, new InterfaceAddress(wanted, 64, null)));
        _link.Deliver(isClaimed ? RouterFrames.Claim(wanted) : RouterFrames.Probe(wanted));
        Pass(5);
        Assert.Equal("2001:db8::7 tentative failed", Addresses());
        Assert.NotEqual(RouteKind.Local, _stack.Routes.Find(wanted, 0)!.Kind);
        Assert.Null(_eth.SelectSource(IpAddress.Parse("2001:db8::9")));
    }

    [Fact]
    public void OwnAddressOfSomebodyElse_EndsIpv6WhereThatIsAskedFor()
    {
        _eth.Autoconfiguration.DetectsDuplicates = 2;
        _stack.SetUp(_eth, false);
        _stack.SetUp(_eth, true);
        IpAddress own = IpAddress.Parse("fe80::ff:fe00:5");
        Assert.Contains(_eth.Addresses, address => address.Address == own && (address.Flags & AddressFlags.Tentative) != 0);
        _link.Deliver(RouterFrames.Claim(own));
        Assert.True(_eth.DisablesV6);
        Assert.DoesNotContain(_eth.Addresses, static address => !address.Address.IsV4);
    }

    [Fact]
    public void EstablishedAddress_IsKeptWhateverOthersSay()
    {
        IpAddress own = IpAddress.Parse("2001:db8::7");
        _eth.Autoconfiguration.DetectsDuplicates = 1;
        Assert.Equal(NetError.None, _stack.AddAddress(_eth, new InterfaceAddress(own, 64, null)));
        Pass(5);
        _sent.Clear();
        _link.Deliver(RouterFrames.Claim(own));
        _link.Deliver(RouterFrames.Probe(own));
        _stack.Flush();
        Assert.Equal("2001:db8::7", Addresses());
        Assert.Single(_sent, static line => line.Contains("ff0200000000000000000000000000018800", StringComparison.Ordinal)); // everybody is told whose it is
    }

    private void Pass(int seconds) => _network.RunUntil(static () => false, seconds * SecondNs);

    // The addresses of IPv6 with what is special about them, but for the interface's own.
    private string Addresses() => string.Join(',', from address in _eth.Addresses
                                                   where !address.Address.IsV4 && !address.Address.IsLinkLocal
                                                   select address.Address + Word(address, AddressFlags.Tentative, " tentative") + Word(address, AddressFlags.Failed, " failed") + Word(address, AddressFlags.Deprecated, " deprecated"));

    private static string Word(InterfaceAddress address, uint flag, string word) => (address.Flags & flag) != 0 ? word : "";
}
