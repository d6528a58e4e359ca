namespace Moat.Platform;

/// <summary>What of a page of code changes so that a <c>syscall</c> instruction's calls go through a trampoline. Offsets are in the page.</summary>
/// <param name="Start">Where the instruction begins that stands right before the <c>syscall</c> and is replaced by a jump.</param>
/// <param name="Length">How long it is.</param>
/// <param name="Island">Where padding is that nobody executes and that the jump goes to, because it is too short to reach the trampoline; -1 if it is not.</param>
/// <param name="IslandLength">How much of the padding is needed.</param>
public readonly record struct CallSitePatch(int Start, int Length, int Island = -1, int IslandLength = 0)
{
    /// <summary>Where the <c>syscall</c> instruction is.</summary>
    public int Syscall => Start + Length;
}
