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

    /// <summary>Looks how a call can be redirected.</summary>
    /// <param name="page">The page of code.</param>
    /// <param name="syscall">Where the <c>syscall</c> instruction is in it.</param>
    /// <param name="number">What the call had in RAX.</param>
    /// <param name="patch">What can be done.</param>
    /// <returns>False if nothing can.</returns>
    bool TryFind(ReadOnlySpan<byte> page, int syscall, ulong number, out CallSitePatch patch);

    /// <summary>Changes the code, and writes the trampoline.</summary>
    /// <param name="patch">What to do.</param>
    /// <param name="page">The page of code.</param>
    /// <param name="pageAddress">Where the page is.</param>
    /// <param name="trampolineAddress">Where the trampoline will be.</param>
    /// <param name="trampoline">Its bytes.</param>
    void Write(in CallSitePatch patch, Span<byte> page, ulong pageAddress, ulong trampolineAddress, Span<byte> trampoline);
}
