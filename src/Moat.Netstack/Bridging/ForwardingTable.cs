using System.Runtime.InteropServices;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Bridging;

/// <summary>Behind which port of a bridge an address was seen last (IEEE 802.1D section 7.9). Any thread; the lock is a leaf.</summary>
internal sealed class ForwardingTable
{
    /// <summary>How many addresses are kept: frames to others go to all ports.</summary>
    public const int MaxEntries = 4096;

    private const long SweepPauseNs = 1_000_000_000;

    private readonly Lock _lock = new();
    private readonly Dictionary<EthernetAddress, Entry> _entries = []; // guarded by _lock
    private long _sweptNs = long.MinValue / 2; // guarded by _lock

    /// <summary>How long an address is believed, in nanoseconds (IFLA_BR_AGEING_TIME).</summary>
    public long AgeingNs { get; set; } = 300_000_000_000;

    /// <summary>What it holds, with the time since each was seen. A snapshot.</summary>
    public List<(EthernetAddress Address, BridgePort Port, long AgeNs)> List(long nowNs)
    {
        List<(EthernetAddress Address, BridgePort Port, long AgeNs)> list = [];
        lock (_lock)
        {
            foreach ((EthernetAddress address, Entry entry) in _entries)
            {
                if (nowNs - entry.SeenNs < AgeingNs)
                {
                    list.Add((address, entry.Port, nowNs - entry.SeenNs));
                }
            }
        }

        return list;
    }

    /// <summary>An address was seen behind a port.</summary>
    public void Learn(EthernetAddress address, BridgePort port, long nowNs)
    {
        lock (_lock)
        {
            ref Entry known = ref CollectionsMarshal.GetValueRefOrNullRef(_entries, address);
            if (!System.Runtime.CompilerServices.Unsafe.IsNullRef(ref known))
            {
                known = new Entry(port, nowNs);
            }
            else if (HasRoomLocked(nowNs))
            {
                _entries.Add(address, new Entry(port, nowNs));
            }
        }
    }

    /// <summary>The port that an address is behind; null if that is not known.</summary>
    public BridgePort? Find(EthernetAddress address, long nowNs)
    {
        lock (_lock)
        {
            return _entries.TryGetValue(address, out Entry entry) && nowNs - entry.SeenNs < AgeingNs ? entry.Port : null;
        }
    }

    /// <summary>Forgets what is behind a port.</summary>
    public void Forget(BridgePort port)
    {
        lock (_lock)
        {
            foreach ((EthernetAddress address, Entry entry) in _entries)
            {
                if (entry.Port == port)
                {
                    _ = _entries.Remove(address);
                }
            }
        }
    }

    // A full table is searched for what is out of date, at most once a second whoever floods it.
    private bool HasRoomLocked(long nowNs)
    {
        if (_entries.Count < MaxEntries)
        {
            return true;
        }

        if (nowNs - _sweptNs >= SweepPauseNs)
        {
            _sweptNs = nowNs;
            foreach ((EthernetAddress address, Entry entry) in _entries)
            {
                if (nowNs - entry.SeenNs >= AgeingNs)
                {
                    _ = _entries.Remove(address);
                }
            }
        }

        return _entries.Count < MaxEntries;
    }

    private readonly record struct Entry(BridgePort Port, long SeenNs);
}
