using Moat.Netstack.Interfaces;
using Moat.Netstack.Routing;
using Moat.Netstack.Timers;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Autoconfiguration;

/// <summary>Asks an interface's link for routers and takes what they advertise: default routes, prefixes of the link, the MTU, the hop limit (RFC 4861 section 6.3), and addresses (RFC 4862 section 5.5). Any thread.</summary>
/// <remarks>Its lock stands above those of duplicate detection, the interface and the routes. Whatever is advertised, little is kept: further routers, prefixes and addresses are ignored.</remarks>
internal sealed class RouterDiscovery(NetworkStack stack, NetworkInterface owner) : NetTimer
{
    /// <summary>Default routers, prefixes of the link, and addresses (max_addresses), each.</summary>
    public const int MaxEach = 16;

    private const int Solicitations = 3; // MAX_RTR_SOLICITATIONS
    private const long SolicitationNs = 4_000_000_000;
    private const long SecondNs = 1_000_000_000;
    private const uint MinMtu = 1280;
    private const byte AdvertisementProtocol = 9; // RTPROT_RA
    private const byte KernelProtocol = 2;

    private readonly Lock _lock = new();
    private readonly List<LearnedRoute> _routers = []; // guarded by _lock
    private readonly List<LearnedRoute> _prefixes = []; // guarded by _lock
    private readonly AddressBook _addresses = new(stack, owner); // guarded by _lock
    private int _solicitationsLeft; // guarded by _lock
    private long _nextSolicitationNs; // guarded by _lock

    /// <summary>The interface is up, or takes advertisements from now on: asks for routers, after a random while.</summary>
    public void Begin()
    {
        if (!Accepts)
        {
            return;
        }

        Span<byte> random = stackalloc byte[sizeof(uint)];
        stack.Host.Fill(random);
        lock (_lock)
        {
            _solicitationsLeft = Solicitations;
            _nextSolicitationNs = stack.Host.NowNs + (BitConverter.ToUInt32(random) % 1000 * 1_000_000); // MAX_RTR_SOLICITATION_DELAY
            SetTimer();
        }
    }

    /// <summary>The interface is down: what was learned is forgotten, and its addresses go.</summary>
    public void End()
    {
        List<AddressNews> news = [];
        lock (_lock)
        {
            _solicitationsLeft = 0;
            _routers.Clear(); // the routes have gone with those of the interface
            _prefixes.Clear();
            _addresses.Clear(news);
        }

        Tell(news);
    }

    /// <summary>Takes an advertisement.</summary>
    public void Receive(in RouterAdvertisement advertisement, IpAddress router)
    {
        if (!Accepts)
        {
            return;
        }

        List<AddressNews> news = [];
        lock (_lock)
        {
            long now = stack.Host.NowNs;
            _solicitationsLeft = 0;
            int mtu = advertisement.Mtu is >= MinMtu and uint told && told <= owner.Mtu ? (int)told : 0;
            if (advertisement.HopLimit != 0)
            {
                owner.HopLimit = advertisement.HopLimit;
            }

            Route route = new(IpAddress.AnyV6, 0, owner.Index) { Gateway = router, Metric = 1024, Protocol = AdvertisementProtocol, Mtu = mtu };
            Learn(_routers, route, advertisement.LifetimeSeconds == 0 ? 0 : now + (advertisement.LifetimeSeconds * SecondNs));
            int position = 0;
            while (advertisement.TryReadPrefix(ref position, out PrefixInformation prefix))
            {
                TakePrefix(prefix, mtu, now, news);
            }

            SetTimer();
        }

        Tell(news);
    }

    /// <inheritdoc/>
    protected internal override void OnExpired(long nowNs)
    {
        List<AddressNews> news = [];
        bool asks;
        lock (_lock)
        {
            asks = _solicitationsLeft > 0 && _nextSolicitationNs <= nowNs;
            if (asks)
            {
                _solicitationsLeft--;
                _nextSolicitationNs = nowNs + SolicitationNs;
            }

            Expire(_routers, nowNs);
            Expire(_prefixes, nowNs);
            _addresses.Expire(nowNs, news);
            SetTimer();
        }

        if (asks)
        {
            stack.NeighborDiscovery.AskForRouters(owner);
        }

        Tell(news);
    }

    private bool Accepts => owner is { IsUp: true, DisablesV6: false } && owner.Autoconfiguration.AcceptsAdvertisements is var accepts && (accepts == 2 || (accepts == 1 && !stack.ForwardsV6));

    /// <summary>When a lifetime that begins now ends.</summary>
    internal static long UntilNs(uint seconds, long nowNs) => seconds == uint.MaxValue ? long.MaxValue : nowNs + (seconds * SecondNs);

    private void TakePrefix(in PrefixInformation prefix, int mtu, long now, List<AddressNews> news)
    {
        if (prefix.Length > 128 || prefix.Prefix.IsLinkLocal || prefix.Prefix.IsMulticast || prefix.PreferredSeconds > prefix.ValidSeconds)
        {
            return; // RFC 4862 section 5.5.3
        }

        IpAddress network = prefix.Prefix.Mask(prefix.Length);
        if (prefix.IsOnLink)
        {
            Route route = new(network, prefix.Length, owner.Index) { Metric = 256, Protocol = KernelProtocol, Mtu = mtu };
            Learn(_prefixes, route, prefix.ValidSeconds == 0 ? 0 : UntilNs(prefix.ValidSeconds, now));
        }

        if (prefix.IsAutonomous && owner.Autoconfiguration.MakesAddresses != 0)
        {
            _addresses.Take(prefix, now, news);
        }
    }

    // A route that is told of again lives on, with what is told now; one whose time is 0 goes.
    private void Learn(List<LearnedRoute> known, Route route, long untilNs)
    {
        int index = known.FindIndex(other => other.Route.Destination == route.Destination && other.Route.PrefixLength == route.PrefixLength && other.Route.Gateway == route.Gateway);
        if (index >= 0 && (untilNs == 0 || known[index].Route != route))
        {
            _ = stack.Routes.Remove(known[index].Route);
            known.RemoveAt(index);
            index = -1;
        }

        if (index >= 0)
        {
            known[index] = new LearnedRoute(route, untilNs);
        }
        else if (untilNs != 0 && known.Count < MaxEach && stack.Routes.Add(route) == NetError.None)
        {
            known.Add(new LearnedRoute(route, untilNs)); // one that somebody else has made stays his
        }
    }

    private void Expire(List<LearnedRoute> known, long now)
    {
        for (int i = known.Count - 1; i >= 0; i--)
        {
            if (known[i].UntilNs <= now)
            {
                _ = stack.Routes.Remove(known[i].Route);
                known.RemoveAt(i);
            }
        }
    }

    // Under the lock.
    private void SetTimer()
    {
        long next = _solicitationsLeft > 0 ? _nextSolicitationNs : long.MaxValue;
        foreach (List<LearnedRoute> known in (ReadOnlySpan<List<LearnedRoute>>)[_routers, _prefixes])
        {
            foreach (LearnedRoute route in known)
            {
                next = Math.Min(next, route.UntilNs);
            }
        }

        next = Math.Min(next, _addresses.NextNs);
        if (next != long.MaxValue)
        {
            stack.Timers.Set(this, next);
        }
    }

    private void Tell(List<AddressNews> news)
    {
        foreach (AddressNews each in news)
        {
            stack.Observer?.OnAddress(owner, each.Address, each.IsGone);
        }
    }
}
