using Moat.Linux;

namespace Moat.Platform;

/// <summary>Why application code stopped.</summary>
public enum SwitchReason
{
    /// <summary>A system call; see <see cref="IContext.Switch"/> for the registers.</summary>
    Syscall,

    /// <summary>A page fault at <see cref="SwitchResult.Address"/>.</summary>
    Fault,

    /// <summary>A processor exception other than a page fault, as the signal Linux would send.</summary>
    Exception,

    /// <summary>Somebody called <see cref="IContext.Interrupt"/>.</summary>
    Interrupted,

    /// <summary>The host took the context away (the stub was killed, host memory is exhausted): the task cannot go on.</summary>
    Lost,
}

/// <summary>What <see cref="IContext.Switch"/> returns.</summary>
public readonly struct SwitchResult
{
    /// <summary>Why it stopped.</summary>
    public required SwitchReason Reason { get; init; }

    /// <summary>Syscall: whether the instruction has made so many calls that it is worth a patch (<see cref="ICallSitePatcher"/>).</summary>
    public bool IsHotSite { get; init; }

    /// <summary>Fault and Exception: the signal's number (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP).</summary>
    public int Signal { get; init; }

    /// <summary>Fault and Exception: <c>si_code</c>.</summary>
    public int SignalCode { get; init; }

    /// <summary>Fault: the address that was touched; Exception: <c>si_addr</c>.</summary>
    public GuestAddress Address { get; init; }

    /// <summary>Fault: what was tried, or <see cref="MemoryAccess.Unknown"/>.</summary>
    public MemoryAccess Access { get; init; }
}
