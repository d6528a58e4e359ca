using Moat.Netstack.Filter.Nat;
using Moat.Netstack.Filter.Tracking;

namespace Moat.Netstack.Filter;

/// <summary>Netfilter: the rulesets of a stack, the connections that it tracks and how it changes their addresses. Without a ruleset a packet pays for one read. Any thread.</summary>
public sealed class PacketFilter
{
    private readonly Lock _lock = new();
    private readonly FlowTracker _tracker;
    private FilterRuleset[] _rulesets = []; // guarded by _lock
    private HookTable? _hooks;

    internal PacketFilter(NetworkStack stack)
    {
        Flows = new FlowTable(stack);
        _tracker = new FlowTracker(stack, Flows);
        Nat = new NatChooser(stack, Flows);
    }

    /// <summary>The connections that are tracked.</summary>
    public FlowTable Flows { get; }

    /// <summary>Decides how addresses are changed.</summary>
    internal NatChooser Nat { get; }

    /// <summary>What is called at the hooks; null if there is no rule.</summary>
    internal HookTable? Hooks => Volatile.Read(ref _hooks);

    /// <summary>Puts rulesets in the place of others at once: every packet sees the old ones at a hook or the new ones.</summary>
    /// <param name="removed">Rulesets that were added before.</param>
    /// <param name="added">New ones; of equal priority, what was added first comes first.</param>
    public void Replace(IReadOnlyCollection<FilterRuleset> removed, IReadOnlyCollection<FilterRuleset> added)
    {
        lock (_lock)
        {
            _rulesets = [.. _rulesets.Where(ruleset => !removed.Contains(ruleset)), .. added];
            Volatile.Write(ref _hooks, Array.Exists(_rulesets, static ruleset => ruleset.Bases.Length > 0) ? new HookTable(_rulesets, _tracker, Nat) : null);
        }
    }
}
