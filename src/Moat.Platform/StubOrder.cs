using Moat.Linux;

namespace Moat.Platform;

/// <summary>A host call with up to three arguments that changes an address space, of which the first two are a range.</summary>
public readonly record struct StubOrder(SyscallNumber Number, ulong A0, ulong A1, ulong A2)
{
    /// <summary>Whether both change some of the same addresses.</summary>
    internal bool Overlaps(in StubOrder other) => A0 < other.A0 + other.A1 && A0 + A1 > other.A0;
}
