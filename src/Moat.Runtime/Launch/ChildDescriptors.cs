namespace Moat.Runtime.Launch;

/// <summary>Numbers the descriptors that a child inherits, from 0 on without holes.</summary>
internal sealed class ChildDescriptors
{
    private readonly List<int> _sources = [];

    /// <summary>The parent's descriptors, in the child's order.</summary>
    public IReadOnlyList<int> Sources => _sources;

    /// <summary>Adds one.</summary>
    /// <returns>Its number in the child; -1 if there is none.</returns>
    public int Add(int source)
    {
        if (source < 0)
        {
            return -1;
        }

        _sources.Add(source);
        return _sources.Count - 1;
    }

    /// <summary>Reserves the next number; see <see cref="Fill"/>.</summary>
    public int Reserve()
    {
        _sources.Add(-1);
        return _sources.Count - 1;
    }

    /// <summary>Says what a reserved number is.</summary>
    public void Fill(int number, int source) => _sources[number] = source;
}
