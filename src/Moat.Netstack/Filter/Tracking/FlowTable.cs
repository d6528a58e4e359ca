using System.Collections.Concurrent;
using Moat.Netstack.Timers;

namespace Moat.Netstack.Filter.Tracking;

/// <summary>The connections that are known, by the packets of both their directions. Bounded: a new one may displace one that nobody has answered. Any thread.</summary>
public sealed class FlowTable : NetTimer
{
    /// <summary>How many there may be (nf_conntrack_max).</summary>
    public const int MaxFlows = 65_536;

    private const int EvictionSample = 64;
    private const long SweepNs = 5_000_000_000;

    private readonly NetworkStack _stack;
    private readonly ConcurrentDictionary<FlowTuple, TrackedFlow> _flows = new();
    private int _count;
    private int _lastId;
    private int _isSweeping; // 1 while the timer is set

    internal FlowTable(NetworkStack stack) => _stack = stack;

    /// <summary>How many there are.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>The connections. A snapshot, in no order.</summary>
    public List<TrackedFlow> List()
    {
        List<TrackedFlow> list = new(Count);
        long now = _stack.Host.NowNs;
        foreach (KeyValuePair<FlowTuple, TrackedFlow> pair in _flows)
        {
            if (pair.Key == pair.Value.Original && pair.Value.ExpiresNs > now)
            {
                list.Add(pair.Value);
            }
        }

        return list;
    }

    /// <summary>The connection that packets like this belong to, or null.</summary>
    public TrackedFlow? Find(in FlowTuple tuple)
    {
        if (!_flows.TryGetValue(tuple, out TrackedFlow? flow))
        {
            return null;
        }

        if (flow.ExpiresNs > _stack.Host.NowNs)
        {
            return flow;
        }

        Remove(flow);
        return null;
    }

    /// <summary>Forgets a connection.</summary>
    public void Remove(TrackedFlow flow)
    {
        if (_flows.TryRemove(new KeyValuePair<FlowTuple, TrackedFlow>(flow.Original, flow)))
        {
            flow.Add(FlowStatus.Dying);
            _ = _flows.TryRemove(new KeyValuePair<FlowTuple, TrackedFlow>(flow.Reply, flow));
            Interlocked.Decrement(ref _count);
        }
    }

    /// <summary>A connection that a packet begins; it is not in the table before it is confirmed.</summary>
    internal TrackedFlow Create(in FlowTuple original) => new(original, unchecked((uint)Interlocked.Increment(ref _lastId)), _stack.Host.NowNs);

    /// <summary>Puts a connection into the table, as its first packet has got through.</summary>
    /// <returns>The connection to go on with, which may be another thread's of the same packets; null if there is no room or its packets would be taken for another's.</returns>
    internal TrackedFlow? Confirm(TrackedFlow flow)
    {
        if (Interlocked.Increment(ref _count) > MaxFlows && !Evict())
        {
            Interlocked.Decrement(ref _count);
            return null;
        }

        if (!_flows.TryAdd(flow.Original, flow))
        {
            Interlocked.Decrement(ref _count);
            return Find(flow.Original) is { } other && other.Original == flow.Original && other.Reply == flow.Reply ? other : null;
        }

        // A connection of a host with itself, both ends the same, is its own answer.
        if (flow.Reply != flow.Original && !_flows.TryAdd(flow.Reply, flow))
        {
            _ = _flows.TryRemove(new KeyValuePair<FlowTuple, TrackedFlow>(flow.Original, flow));
            Interlocked.Decrement(ref _count);
            return null;
        }

        flow.Add(FlowStatus.Confirmed);
        if (Interlocked.Exchange(ref _isSweeping, 1) == 0)
        {
            _stack.Timers.Set(this, _stack.Host.NowNs + SweepNs);
        }

        return flow;
    }

    /// <inheritdoc/>
    protected internal override void OnExpired(long nowNs)
    {
        long next = long.MaxValue;
        foreach (KeyValuePair<FlowTuple, TrackedFlow> pair in _flows)
        {
            if (pair.Key != pair.Value.Original)
            {
                continue;
            }

            long expires = pair.Value.ExpiresNs;
            if (expires <= nowNs)
            {
                Remove(pair.Value);
            }
            else
            {
                next = Math.Min(next, expires);
            }
        }

        // A sandbox that is idle is not woken before something expires.
        if (next != long.MaxValue)
        {
            _stack.Timers.Set(this, Math.Max(next, nowNs + SweepNs));
            return;
        }

        Interlocked.Exchange(ref _isSweeping, 0); // a full barrier: who finds it set has added its flow before this thread counts them
        if (Count > 0 && Interlocked.Exchange(ref _isSweeping, 1) == 0)
        {
            _stack.Timers.Set(this, nowNs + SweepNs);
        }
    }

    // Of some connections, one that is not assured makes room (early_drop).
    private bool Evict()
    {
        int seen = 0;
        long now = _stack.Host.NowNs;
        foreach (KeyValuePair<FlowTuple, TrackedFlow> pair in _flows)
        {
            if (!pair.Value.Has(FlowStatus.Assured) || pair.Value.ExpiresNs <= now)
            {
                Remove(pair.Value);
                return true;
            }

            if (++seen >= EvictionSample)
            {
                return false;
            }
        }

        return false;
    }
}
