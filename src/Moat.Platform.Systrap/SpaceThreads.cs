namespace Moat.Platform.Systrap;

/// <summary>The threads of a stub that run application code: those that contexts have, and those that wait for one. The space's lock guards it.</summary>
internal sealed class SpaceThreads
{
    private readonly List<StubThread> _all = [];
    private readonly List<StubThread> _idle = [];
    private int _reserved; // how many of the idle ones wait for contexts that have not entered yet

    /// <summary>The first thread, which is idle.</summary>
    public SpaceThreads(StubThread first)
    {
        _all.Add(first);
        _idle.Add(first);
    }

    /// <summary>All of them.</summary>
    public IReadOnlyList<StubThread> All => _all;

    /// <summary>Whether more than one task uses the space, or will.</summary>
    public bool AreSeveral => _all.Count - _idle.Count + _reserved > 1;

    /// <summary>Keeps an idle thread for one more context, if there is one that is not kept yet.</summary>
    /// <param name="users">How many tasks live in the space, the one that asks and the new one among them.</param>
    public bool TryReserve(int users)
    {
        _reserved = Math.Min(_reserved, users - 2);
        if (_idle.Count <= _reserved)
        {
            return false;
        }

        _reserved++;
        return true;
    }

    /// <summary>A thread is being made: it counts, but nobody may take it yet.</summary>
    public void Add(StubThread thread) => _all.Add(thread);

    /// <summary>It has been made for one more context.</summary>
    public void AddReserved(StubThread thread)
    {
        _idle.Add(thread);
        _reserved++;
    }

    /// <summary>Takes an idle one for a context; null if there is none.</summary>
    public StubThread? Take()
    {
        if (_idle.Count == 0)
        {
            return null;
        }

        StubThread thread = _idle[^1];
        _idle.RemoveAt(_idle.Count - 1);
        _reserved = Math.Max(0, _reserved - 1);
        return thread;
    }

    /// <summary>Takes one back from a context.</summary>
    public void Return(StubThread thread) => _idle.Add(thread);
}
