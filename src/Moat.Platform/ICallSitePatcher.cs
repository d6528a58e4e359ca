namespace Moat.Platform;

/// <summary>How a platform replaces what stands before a <c>syscall</c> instruction by a jump to a trampoline, from which the call reaches the kernel more cheaply. The kernel decides where
/// trampolines lie and changes the code; the <c>syscall</c> instruction itself stays as it is.</summary>
public interface ICallSitePatcher
{
    /// <summary>Bytes of a trampoline.</summary>
    int TrampolineSize { get; }

    /// <summary>Where in a trampoline its code begins, with the instruction that was replaced.</summary>
    int CodeOffset { get; }

    /// <summary>How far a trampoline may be from the call.</summary>
    ulong Reach { get; }

    /// <summary>How many bytes right before a <c>syscall</c> instruction can be replaced.</summary>
    /// <param name="before">The code that ends there.</param>
    /// <param name="number">What the call had in RAX.</param>
    /// <returns>0 if it cannot be done.</returns>
    int FindPatch(ReadOnlySpan<byte> before, ulong number);

    /// <summary>Writes a trampoline, and the jump to it.</summary>
    /// <param name="syscallAddress">Where the <c>syscall</c> instruction is.</param>
    /// <param name="site">What is replaced, right before it.</param>
    /// <param name="trampolineAddress">Where the trampoline will be.</param>
    /// <param name="trampoline">Its bytes.</param>
    void Write(ulong syscallAddress, Span<byte> site, ulong trampolineAddress, Span<byte> trampoline);
}
