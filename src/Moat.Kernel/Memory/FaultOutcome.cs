using Moat.Linux;

namespace Moat.Kernel.Memory;

/// <summary>How a page fault ended.</summary>
/// <param name="Signal">The signal to force, or <see cref="Linux.Signal.None"/> if the application can go on.</param>
/// <param name="Code"><c>si_code</c> of that signal.</param>
public readonly record struct FaultOutcome(Signal Signal, int Code)
{
    /// <summary>The page is there now.</summary>
    public static readonly FaultOutcome Handled;

    /// <summary>Nothing is mapped there: SEGV_MAPERR.</summary>
    public static readonly FaultOutcome NotMapped = new(Signal.SIGSEGV, 1);

    /// <summary>The mapping forbids it: SEGV_ACCERR.</summary>
    public static readonly FaultOutcome Forbidden = new(Signal.SIGSEGV, 2);

    /// <summary>Beyond the end of the file, or out of memory: BUS_ADRERR.</summary>
    public static readonly FaultOutcome NoPage = new(Signal.SIGBUS, 2);
}
