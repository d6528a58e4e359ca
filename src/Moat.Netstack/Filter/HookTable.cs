using Moat.Netstack.Filter.Nat;
using Moat.Netstack.Filter.Tracking;

namespace Moat.Netstack.Filter;

/// <summary>Everything that is called at each hook. Immutable.</summary>
internal sealed class HookTable
{
    private const int HookCount = 5;

    private readonly HookEntry[][] _v4 = new HookEntry[HookCount][];
    private readonly HookEntry[][] _v6 = new HookEntry[HookCount][];

    public HookTable(IReadOnlyList<FilterRuleset> rulesets, FlowTracker tracker, NatChooser chooser)
    {
        bool tracks = false;
        foreach (FilterRuleset ruleset in rulesets)
        {
            tracks |= ruleset.NeedsTracking;
        }

        for (int hook = 0; hook < HookCount; hook++)
        {
            _v4[hook] = Build((FilterHook)hook, rulesets, static ruleset => ruleset.HasV4, tracks, tracker, chooser);
            _v6[hook] = Build((FilterHook)hook, rulesets, static ruleset => ruleset.HasV6, tracks, tracker, chooser);
        }
    }

    /// <summary>Shows a packet to everybody at its hook.</summary>
    /// <returns>False if it is dropped: it stays the caller's to release.</returns>
    public bool Pass(FilterHook hook, ref FilterPacket packet)
    {
        packet.Hook = hook;
        foreach (HookEntry entry in (packet.IsV6 ? _v6 : _v4)[(int)hook])
        {
            if (!entry.Pass(ref packet))
            {
                return false;
            }
        }

        return true;
    }

    private static HookEntry[] Build(
        FilterHook hook, IReadOnlyList<FilterRuleset> rulesets, Func<FilterRuleset, bool> isOfFamily, bool tracks, FlowTracker tracker, NatChooser chooser)
    {
        List<HookEntry> entries = [];
        List<HookEntry.Chain> translators = [];
        bool translates = false;
        foreach (FilterRuleset ruleset in rulesets)
        {
            if (!isOfFamily(ruleset))
            {
                continue;
            }

            foreach (FilterBase entry in ruleset.Bases)
            {
                translates |= entry.Kind == FilterChainKind.Nat;
                if (entry.Hook == hook)
                {
                    HookEntry.Chain chain = new(ruleset, entry);
                    if (entry.Kind == FilterChainKind.Nat)
                    {
                        translators.Add(chain);
                    }
                    else
                    {
                        entries.Add(chain);
                    }
                }
            }
        }

        if (tracks && hook is FilterHook.Prerouting or FilterHook.Output)
        {
            entries.Add(new HookEntry.Track(tracker));
        }

        if (tracks && hook is FilterHook.Input or FilterHook.Postrouting)
        {
            entries.Add(new HookEntry.Confirm(tracker));
        }

        if (translates && hook != FilterHook.Forward)
        {
            HookEntry.Chain[] ordered = [.. translators.OrderBy(static chain => chain.Priority)];
            entries.Add(new HookEntry.Translate(hook is FilterHook.Input or FilterHook.Postrouting, ordered, chooser));
        }

        return [.. entries.OrderBy(static entry => entry.Priority)]; // stable: of equals the first registered comes first
    }
}
