using Moat.Netstack.Interfaces;
using Moat.Netstack.Timers;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Autoconfiguration;

/// <summary>Duplicate address detection of an interface (RFC 4862 section 5.4): asks for a new address before it is used, and gives it up if somebody answers or asks for it as well. Any thread.</summary>
/// <remarks>Its lock stands above those of the interface and the routes. An address is tentative as long as it is here.</remarks>
internal sealed class DuplicateDetection(NetworkStack stack, NetworkInterface owner) : NetTimer
{
    private const long RetransmitNs = 1_000_000_000; // RetransTimer
    private const int OwnBytes = 8;

    private readonly Lock _lock = new();
    private readonly Dictionary<IpAddress, Probe> _probes = []; // guarded by _lock; as many as the interface has addresses at most

    /// <summary>Whether an address that is added now has to be asked for.</summary>
    public bool Wants(InterfaceAddress address) =>
        !address.Address.IsV4 && owner.IsUp && owner.Autoconfiguration is { DetectsDuplicates: > 0, Transmits: > 0 } && (address.Flags & (AddressFlags.NoDetection | AddressFlags.Failed)) == 0;

    /// <summary>An address that is tentative has been added: asks for it, the first time after a random while.</summary>
    public void Begin(IpAddress address)
    {
        const int MaxDelayMs = 1000; // MAX_RTR_SOLICITATION_DELAY
        Span<byte> random = stackalloc byte[OwnBytes];
        stack.Host.Fill(random);
        lock (_lock)
        {
            _probes[address] = new Probe(owner.Autoconfiguration.Transmits, stack.Host.NowNs + (BitConverter.ToUInt32(random) % MaxDelayMs * 1_000_000));
            SetTimer();
        }
    }

    /// <summary>An address has been taken away.</summary>
    public void Forget(IpAddress address)
    {
        lock (_lock)
        {
            _ = _probes.Remove(address);
        }
    }

    /// <summary>Somebody else has an address, or wants it: if it is tentative here it is given up.</summary>
    /// <returns>Whether it was tentative.</returns>
    public bool OnOther(IpAddress address)
    {
        lock (_lock)
        {
            if (!_probes.Remove(address))
            {
                return false;
            }
        }

        Settle(address, AddressFlags.Tentative | AddressFlags.Failed);
        bool isOwn = address.IsLinkLocal && address == InterfaceConfiguration.LinkLocalOf(owner.Link.Address);
        if (isOwn && owner.Autoconfiguration.DetectsDuplicates > 1)
        {
            stack.DisableV6(owner, true);
        }

        return true;
    }

    /// <inheritdoc/>
    protected internal override void OnExpired(long nowNs)
    {
        List<IpAddress> asked = [];
        List<IpAddress> free = [];
        lock (_lock)
        {
            foreach ((IpAddress address, Probe probe) in _probes)
            {
                if (probe.NextNs > nowNs)
                {
                    continue;
                }

                (probe.Left > 0 ? asked : free).Add(address);
            }

            foreach (IpAddress address in asked)
            {
                _probes[address] = new Probe(_probes[address].Left - 1, nowNs + RetransmitNs);
            }

            foreach (IpAddress address in free)
            {
                _ = _probes.Remove(address);
            }

            SetTimer();
        }

        foreach (IpAddress address in asked)
        {
            stack.NeighborDiscovery.AskForDuplicate(owner, address);
        }

        foreach (IpAddress address in free)
        {
            Settle(address, 0);
        }
    }

    // What becomes of an address: it is the interface's, or somebody else's.
    private void Settle(IpAddress address, uint flags)
    {
        if (owner.ChangeAddress(address, before => before with { Flags = (before.Flags & ~AddressFlags.Tentative) | flags }) is { } settled)
        {
            stack.Configuration.OnSettled(owner, settled);
        }
    }

    // Under the lock.
    private void SetTimer()
    {
        long next = long.MaxValue;
        foreach (Probe probe in _probes.Values)
        {
            next = Math.Min(next, probe.NextNs);
        }

        if (next != long.MaxValue)
        {
            stack.Timers.Set(this, next);
        }
    }

    private readonly record struct Probe(int Left, long NextNs);
}
