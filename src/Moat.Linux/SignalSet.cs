namespace Moat.Linux;

/// <summary>A set of signals: the kernel's <c>sigset_t</c>, bit n-1 for signal n.</summary>
/// <param name="Bits">The set as the system calls pass it.</param>
public readonly record struct SignalSet(ulong Bits)
{
    /// <summary>No signal.</summary>
    public static readonly SignalSet Empty;

    /// <summary>SIGKILL and SIGSTOP, which nothing blocks, catches or ignores.</summary>
    public static readonly SignalSet Unblockable = Of(Signal.SIGKILL) | Of(Signal.SIGSTOP);

    /// <summary>Whether no signal is in it.</summary>
    public bool IsEmpty => Bits == 0;

    /// <summary>The set of one signal.</summary>
    public static SignalSet Of(Signal signal) => new(1UL << ((int)signal - 1));

    /// <summary>Whether <paramref name="signal"/> is in it.</summary>
    public bool Contains(Signal signal) => (Bits & (1UL << ((int)signal - 1))) != 0;

    public static SignalSet operator |(SignalSet left, SignalSet right) => new(left.Bits | right.Bits);

    public static SignalSet operator &(SignalSet left, SignalSet right) => new(left.Bits & right.Bits);

    /// <summary>What is in the left set and not in the right one.</summary>
    public static SignalSet operator -(SignalSet left, SignalSet right) => new(left.Bits & ~right.Bits);

    public static SignalSet operator ~(SignalSet set) => new(~set.Bits);
}
