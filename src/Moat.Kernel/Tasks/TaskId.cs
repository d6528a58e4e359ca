namespace Moat.Kernel.Tasks;

/// <summary>An id (the kernel's struct pid): a number in one pid namespace and one in each above it. A task has one; the process group and the session that it founds keep it.</summary>
/// <param name="pids">The namespace it was made in.</param>
/// <param name="numbers">Its numbers, by level.</param>
public sealed class TaskId(PidNamespace pids, int[] numbers)
{
    /// <summary>The namespace it was made in.</summary>
    public PidNamespace Namespace => pids;

    /// <summary>Its number there.</summary>
    public int Number => numbers[pids.Level];

    /// <summary>Its number in a namespace, and in those below down to where it was made; none where it is not to be seen.</summary>
    public ReadOnlyMemory<int> From(PidNamespace viewer) => viewer == pids || pids.IsBelow(viewer) ? numbers.AsMemory(viewer.Level) : default;

    /// <summary>Its number for whoever lives in a namespace; 0 where it is not to be seen.</summary>
    public int In(PidNamespace viewer) => viewer == pids ? Number : pids.IsBelow(viewer) ? numbers[viewer.Level] : 0;
}
