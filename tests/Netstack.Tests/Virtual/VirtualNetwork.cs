using Moat.Netstack.Interfaces;
using Moat.Netstack.Link;
using Moat.Netstack.Packets;
using Moat.Netstack.Udp;
using Moat.Netstack.Tests.Simulation;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Tests.Virtual;

/// <summary>Stacks that are joined by virtual links, with a clock that stands still.</summary>
internal sealed class VirtualNetwork : INetHost, IBacklogHost
{
    private readonly Random _random = new(7);
    private readonly PacketPool _pool = new();
    private bool _isAsked;

    public VirtualNetwork() => Backlog = new LinkBacklog(this);

    public LinkBacklog Backlog { get; }

    public PacketPool Pool => _pool;

    public long NowNs { get; set; } = 1_000_000_000;

    /// <summary>How often the backlog asked to be run later.</summary>
    public int Postponed { get; private set; }

    public void Fill(Span<byte> random) => _random.NextBytes(random);

    public void WakeAt(long deadlineNs)
    {
    }

    public void RunSoon()
    {
        Postponed++;
        _isAsked = true;
    }

    /// <summary>Runs what was put off, until nothing is.</summary>
    public void Settle()
    {
        for (int i = 0; i < 100_000 && _isAsked; i++)
        {
            _isAsked = false;
            Backlog.Run();
        }

        Assert.False(_isAsked);
    }

    public NetworkStack AddStack() => new(this, null, _pool) { Backlog = Backlog };

    public (VethLink First, VethLink Second) Join(NetworkStack left, string leftName, NetworkStack right, string rightName)
    {
        (VethLink first, VethLink second) = VethLink.MakePair(Backlog, VirtualLink.RandomAddress(this), VirtualLink.RandomAddress(this));
        Up(left, leftName, first);
        Up(right, rightName, second);
        return (first, second);
    }

    public static NetworkInterface Up(NetworkStack stack, string name, ILink link)
    {
        Assert.Equal(NetError.None, stack.AddInterface(name, link, out NetworkInterface? added));
        stack.SetUp(added!, true);
        return added!;
    }

    public static void Give(NetworkInterface owner, string address) =>
        Assert.Equal(NetError.None, owner.Stack.AddAddress(owner, new InterfaceAddress(IpAddress.FromBytes(System.Net.IPAddress.Parse(address).GetAddressBytes()), 24, null)));
}
