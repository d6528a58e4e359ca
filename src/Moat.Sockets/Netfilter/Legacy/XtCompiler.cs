using Moat.Linux;
using Moat.Netstack.Filter;

namespace Moat.Sockets.Netfilter.Legacy;

/// <summary>Makes a ruleset for the engine of a table that has been checked: a chain for each place where packets enter or jumps lead.</summary>
internal sealed class XtCompiler
{
    private const int AcceptVerdict = -2;
    private const int MaxRules = 1 << 20; // of all chains: a table whose jumps lead into the middle of chains has rules in several

    private readonly XtBlob _blob;
    private readonly Dictionary<int, FilterChain> _chains = []; // by where they begin
    private readonly Queue<FilterChain> _pending = new();
    private readonly Queue<(int Begin, int End)> _places = new();
    private readonly List<FilterRule[]> _rules = [];
    private int _ruleCount;

    private XtCompiler(XtBlob blob) => _blob = blob;

    /// <summary>Makes it.</summary>
    /// <returns>ENOMEM.</returns>
    public static Result<FilterRuleset> Compile(XtBlob blob) => new XtCompiler(blob).Run();

    private Result<FilterRuleset> Run()
    {
        List<FilterBase> bases = [];
        foreach (FilterHook hook in _blob.Kind.Hooks)
        {
            XtEntry policy = _blob.Entries[_blob.IndexAt(_blob.Underflows[(int)hook])];
            FilterChain chain = Enter(_blob.HookEntries[(int)hook], policy.Offset);
            FilterChainKind kind = _blob.Kind.Kind == FilterChainKind.Route && hook != FilterHook.Output ? FilterChainKind.Filter : _blob.Kind.Kind;
            bases.Add(new FilterBase(chain, hook, _blob.Kind.Priority, kind, policy.Verdict == AcceptVerdict ? FilterStep.Accept : FilterStep.Drop) { PolicyCounter = policy.Counter });
        }

        while (_places.TryDequeue(out (int Begin, int End) place))
        {
            FilterChain chain = _pending.Dequeue();
            _rules[chain.Slot] = RulesOf(place.Begin, place.End);
            if (_ruleCount > MaxRules)
            {
                return Errno.ENOMEM;
            }
        }

        return new FilterRuleset { HasV4 = !_blob.Layout.IsV6, HasV6 = _blob.Layout.IsV6, Chains = [.. _rules], Bases = [.. bases] };
    }

    private FilterChain Enter(int begin, int end)
    {
        FilterChain chain = new(_rules.Count);
        _rules.Add([]);
        _pending.Enqueue(chain);
        _places.Enqueue((begin, end));
        return chain;
    }

    private FilterRule[] RulesOf(int begin, int end)
    {
        List<FilterRule> rules = [];
        for (int i = _blob.IndexAt(begin); i < _blob.Entries.Count && _blob.Entries[i].Offset != end; i++)
        {
            XtEntry entry = _blob.Entries[i];
            rules.Add(entry.IsStandard && entry.Verdict >= 0 ? JumpOf(entry) : entry.Compiled!);
            if (entry.IsEnd)
            {
                break;
            }
        }

        _ruleCount += rules.Count;
        return [.. rules];
    }

    private FilterRule JumpOf(XtEntry entry)
    {
        if (entry.Verdict == entry.Offset + entry.Length)
        {
            return entry.Compiled!; // to the next rule, which comes anyway: a rule that only counts
        }

        if (!_chains.TryGetValue(entry.Verdict, out FilterChain? target))
        {
            target = Enter(entry.Verdict, -1);
            _chains.Add(entry.Verdict, target);
        }

        return new FilterRule([.. entry.Compiled!.Expressions, new Verdict(entry.IsGoto ? FilterStep.Goto : FilterStep.Jump, target)]);
    }
}
