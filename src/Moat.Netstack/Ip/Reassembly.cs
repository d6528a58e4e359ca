using Moat.Netstack.Packets;

namespace Moat.Netstack.Ip;

/// <summary>Puts fragments together (RFC 791 section 3.2, RFC 8200 section 4.5). What is unfinished is bounded in memory and time; fragments that overlap spoil their packet (RFC 5722).</summary>
internal sealed class Reassembly(NetworkStack stack)
{
    /// <summary>Bytes of unfinished packets (ipfrag_high_thresh); the oldest go first.</summary>
    internal const long MaxBytes = 4 << 20;

    private readonly Lock _lock = new();
    private readonly Dictionary<FragmentKey, FragmentedPacket> _packets = []; // guarded by _lock
    private readonly LinkedList<FragmentedPacket> _byAge = new(); // guarded by _lock
    private long _bytes; // guarded by _lock

    /// <summary>Takes a fragment, which begins with its payload.</summary>
    /// <returns>The whole packet, beginning with the transport header, when this was the last piece missing; otherwise null.</returns>
    public Packet? Add(in FragmentKey key, Packet fragment, int offset, bool more)
    {
        const int MaxPacket = 65535;
        int length = fragment.Length;
        if (length == 0 || offset + length > MaxPacket || (more && length % 8 != 0))
        {
            fragment.Release();
            return null;
        }

        lock (_lock)
        {
            if (!_packets.TryGetValue(key, out FragmentedPacket? packet))
            {
                packet = new FragmentedPacket(this, key);
                _packets.Add(key, packet);
                packet.Node = _byAge.AddLast(packet);
                stack.Timers.Set(packet, stack.Host.NowNs + FragmentedPacket.LifetimeNs);
            }

            _bytes -= packet.TrueSize;
            bool isGood = packet.TryAdd(fragment, offset, more);
            _bytes += packet.TrueSize;
            if (!isGood)
            {
                RemoveLocked(packet);
                return null;
            }

            if (packet.IsComplete)
            {
                Packet whole = packet.Join(stack.Pool);
                RemoveLocked(packet);
                return whole;
            }

            while (_bytes > MaxBytes && _byAge.First is { } oldest)
            {
                RemoveLocked(oldest.Value);
            }

            return null;
        }
    }

    /// <summary>How many packets of a version are unfinished, and the memory of their fragments.</summary>
    public (int Count, long Bytes) CountOf(bool isV6)
    {
        lock (_lock)
        {
            (int Count, long Bytes) total = default;
            foreach ((FragmentKey key, FragmentedPacket packet) in _packets)
            {
                total = key.Source.IsV4 != isV6 ? (total.Count + 1, total.Bytes + packet.TrueSize) : total;
            }

            return total;
        }
    }

    /// <summary>A packet's time is over. The sender hears of it if the first fragment came (RFC 1122 section 3.3.2).</summary>
    internal void OnExpired(FragmentedPacket packet)
    {
        Packet? first;
        lock (_lock)
        {
            if (packet.Node is null)
            {
                return;
            }

            _bytes -= packet.TrueSize;
            first = packet.TakeFirst();
            _bytes += packet.TrueSize;
            RemoveLocked(packet);
        }

        if (first is not null)
        {
            stack.Errors.SendReassemblyTimeout(first);
        }
    }

    private void RemoveLocked(FragmentedPacket packet)
    {
        stack.Timers.Remove(packet);
        _ = _packets.Remove(packet.Key);
        _byAge.Remove(packet.Node!);
        packet.Node = null;
        _bytes -= packet.TrueSize;
        packet.Clear();
    }
}
