using Moat.Netstack.Interfaces;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Autoconfiguration;

/// <summary>The addresses that an interface has made of advertised prefixes, with their lifetimes (RFC 4862 section 5.5). Guarded by the lock of <see cref="RouterDiscovery"/>.</summary>
internal sealed class AddressBook(NetworkStack stack, NetworkInterface owner)
{
    private const int PrefixLength = 64; // what an interface's identifier leaves on every link (RFC 4291 section 2.5.1)
    private const long TwoHoursNs = 2 * 3600 * 1_000_000_000L;

    private readonly List<InterfaceAddress> _made = [];

    /// <summary>When a lifetime ends next.</summary>
    public long NextNs
    {
        get
        {
            long next = long.MaxValue;
            foreach (InterfaceAddress address in _made)
            {
                next = Math.Min(next, (address.Flags & AddressFlags.Deprecated) == 0 ? Math.Min(address.PreferredUntilNs, address.ValidUntilNs) : address.ValidUntilNs);
            }

            return next;
        }
    }

    /// <summary>Makes an address of a prefix, or lets the one that was made before live on.</summary>
    public void Take(in PrefixInformation prefix, long now, List<AddressNews> news)
    {
        if (prefix.Length != PrefixLength)
        {
            return;
        }

        IpAddress address = IpAddress.FromValue((prefix.Prefix.Mask(PrefixLength).Value & ~(UInt128)ulong.MaxValue) | (InterfaceConfiguration.LinkLocalOf(owner.Link.Address).Value & ulong.MaxValue));
        long valid = RouterDiscovery.UntilNs(prefix.ValidSeconds, now);
        long preferred = RouterDiscovery.UntilNs(prefix.PreferredSeconds, now);
        int index = _made.FindIndex(other => other.Address == address);
        if (index >= 0)
        {
            Prolong(index, valid, preferred, now, news);
            return;
        }

        InterfaceAddress made = new(address, PrefixLength, null) { ValidUntilNs = valid, PreferredUntilNs = preferred, HasNetworkRoute = false, Flags = preferred <= now ? AddressFlags.Deprecated : 0 };
        if (prefix.ValidSeconds > 0 && _made.Count < RouterDiscovery.MaxEach && stack.AddAddress(owner, made) == NetError.None)
        {
            _made.Add(made); // not if somebody has given it to the interface by hand
            news.Add(new AddressNews(owner.FindAddress(address) ?? made, IsGone: false));
        }
    }

    /// <summary>Takes away what is not valid any more, and marks what is not preferred.</summary>
    public void Expire(long now, List<AddressNews> news)
    {
        for (int i = _made.Count - 1; i >= 0; i--)
        {
            InterfaceAddress address = _made[i];
            if (address.ValidUntilNs <= now)
            {
                _made.RemoveAt(i);
                Remove(address, news);
            }
            else if (address.PreferredUntilNs <= now && (address.Flags & AddressFlags.Deprecated) == 0)
            {
                Change(i, address with { Flags = address.Flags | AddressFlags.Deprecated }, news);
            }
        }
    }

    /// <summary>Takes all of them away.</summary>
    public void Clear(List<AddressNews> news)
    {
        foreach (InterfaceAddress address in _made)
        {
            Remove(address, news);
        }

        _made.Clear();
    }

    // An advertisement that nobody signed must not end an address at once: two hours it keeps (RFC 4862 section 5.5.3 e).
    private void Prolong(int index, long valid, long preferred, long now, List<AddressNews> news)
    {
        InterfaceAddress before = _made[index];
        long left = now + TwoHoursNs;
        valid = valid > left || valid > before.ValidUntilNs ? valid : Math.Min(before.ValidUntilNs, left);
        uint flags = preferred <= now ? before.Flags | AddressFlags.Deprecated : before.Flags & ~AddressFlags.Deprecated;
        Change(index, before with { ValidUntilNs = valid, PreferredUntilNs = Math.Min(preferred, valid), Flags = flags }, news);
    }

    private void Change(int index, InterfaceAddress after, List<AddressNews> news)
    {
        _made[index] = after;
        if (owner.ChangeAddress(after.Address, now => now with { ValidUntilNs = after.ValidUntilNs, PreferredUntilNs = after.PreferredUntilNs, Flags = (now.Flags & AddressFlags.Unusable) | after.Flags }) is { } changed)
        {
            news.Add(new AddressNews(changed, IsGone: false));
        }
    }

    private void Remove(InterfaceAddress address, List<AddressNews> news)
    {
        if (stack.RemoveAddress(owner, address.Address, address.PrefixLength) == NetError.None)
        {
            news.Add(new AddressNews(address, IsGone: true));
        }
    }
}
