using System.Buffers.Binary;
using Moat.Kernel.Bpf;
using Moat.Linux;

namespace Moat.Kernel.Seccomp;

/// <summary>A task's system call filters (seccomp(2)): immutable, the newest first, shared with its children.</summary>
/// <param name="older">The filters before, or null.</param>
/// <param name="program">The newest filter; null for strict mode.</param>
/// <param name="allowed">What it always allows.</param>
/// <param name="logs">SECCOMP_FILTER_FLAG_LOG.</param>
public sealed class SeccompState(SeccompState? older, BpfProgram? program, AllowedCalls? allowed, bool logs)
{
    /// <summary>Strict mode.</summary>
    public static readonly SeccompState Strict = new(null, null, null, logs: false);

    private const int StrictMode = 1;
    private const int FilterMode = 2;
    private const int MaxTotal = (1 << 18) / 8; // MAX_INSNS_PER_PATH
    private const int Penalty = 4;
    private const uint ActionMask = 0xffff0000;

    /// <summary>What /proc/PID/status and PR_GET_SECCOMP show.</summary>
    public int Mode => program is null ? StrictMode : FilterMode;

    /// <summary>How many filters there are.</summary>
    public int Count { get; } = (older?.Count ?? 0) + 1;

    /// <summary>Whether a filter wants its decisions logged.</summary>
    public bool Logs => logs;

    // What all filters always allow; null in strict mode.
    private AllowedCalls? Allowed { get; } = older?.Allowed is { } before ? allowed?.And(before) : allowed;

    private int TotalLength => (program?.Count ?? 0) + Penalty + (older?.TotalLength ?? 0);

    /// <summary>Adds a filter.</summary>
    /// <param name="current">Those that there are, or null.</param>
    /// <param name="program">The filter.</param>
    /// <param name="allowed">What it always allows.</param>
    /// <param name="logs">SECCOMP_FILTER_FLAG_LOG.</param>
    /// <returns>ENOMEM when all of them together are too long.</returns>
    public static Result<SeccompState> Add(SeccompState? current, BpfProgram program, AllowedCalls allowed, bool logs)
    {
        SeccompState added = new(current, program, allowed, logs);
        return added.TotalLength > MaxTotal ? Errno.ENOMEM : added;
    }

    /// <summary>Whether these filters begin with the other's: what one task may hand to another (SECCOMP_FILTER_FLAG_TSYNC).</summary>
    public bool Extends(SeccompState? other)
    {
        for (SeccompState? state = this; state is not null; state = state.Older)
        {
            if (state == other)
            {
                return true;
            }
        }

        return other is null;
    }

    /// <summary>Whether calls are allowed whatever their arguments, so that nothing has to decide on them.</summary>
    public bool AllowsAlways(params ReadOnlySpan<SyscallNumber> numbers) => Allowed is not null && Allowed.Contains(numbers);

    /// <summary>As above, for one call.</summary>
    public bool AllowsAlways(ulong number) => Allowed is not null && Allowed.Contains(number);

    private SeccompState? Older => older;

    /// <summary>Decides on a call: every filter runs, the strictest decision counts, of equal ones the newest.</summary>
    public uint Decide(in RegisterSet registers)
    {
        const uint AuditArchX86x64 = 0xc000003e;
        if (program is null)
        {
            return (uint)((SyscallNumber)registers.OrigRax is SyscallNumber.read or SyscallNumber.write or SyscallNumber.exit or SyscallNumber.rt_sigreturn
                ? SeccompAction.Allow
                : SeccompAction.KillThread);
        }

        Span<byte> data = stackalloc byte[BpfProgram.CallSize];
        BinaryPrimitives.WriteInt32LittleEndian(data, (int)registers.OrigRax);
        BinaryPrimitives.WriteUInt32LittleEndian(data[4..], AuditArchX86x64);
        BinaryPrimitives.WriteUInt64LittleEndian(data[8..], registers.Rip);
        BinaryPrimitives.WriteUInt64LittleEndian(data[16..], registers.Rdi);
        BinaryPrimitives.WriteUInt64LittleEndian(data[24..], registers.Rsi);
        BinaryPrimitives.WriteUInt64LittleEndian(data[32..], registers.Rdx);
        BinaryPrimitives.WriteUInt64LittleEndian(data[40..], registers.R10);
        BinaryPrimitives.WriteUInt64LittleEndian(data[48..], registers.R8);
        BinaryPrimitives.WriteUInt64LittleEndian(data[56..], registers.R9);
        uint decision = (uint)SeccompAction.Allow;
        for (SeccompState? state = this; state?.Program is { } each; state = state.Older)
        {
            uint own = each.Run(new SeccompData(data));
            if ((int)(own & ActionMask) < (int)(decision & ActionMask))
            {
                decision = own;
            }
        }

        return decision;
    }

    private BpfProgram? Program => program;
}
