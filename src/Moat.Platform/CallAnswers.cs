using Moat.Linux;

namespace Moat.Platform;

/// <summary>What calls answer that ask for nothing but a number of the task's own. A platform may give the answers without bringing the call to the kernel, as long as it has them.</summary>
public sealed record CallAnswers
{
    /// <summary>Not to be used for an answer.</summary>
    public const int None = -1;

    /// <summary>getpid(2).</summary>
    public int Pid { get; init; } = None;

    /// <summary>gettid(2).</summary>
    public int Tid { get; init; } = None;

    /// <summary>getuid(2).</summary>
    public int Uid { get; init; } = None;

    /// <summary>geteuid(2).</summary>
    public int EffectiveUid { get; init; } = None;

    /// <summary>getgid(2).</summary>
    public int Gid { get; init; } = None;

    /// <summary>getegid(2).</summary>
    public int EffectiveGid { get; init; } = None;

    /// <summary>The calls, in the order of <see cref="CopyTo"/>.</summary>
    public static ReadOnlySpan<SyscallNumber> Calls =>
        [SyscallNumber.getpid, SyscallNumber.gettid, SyscallNumber.getuid, SyscallNumber.geteuid, SyscallNumber.getgid, SyscallNumber.getegid];

    /// <summary>The answers; negative: only the kernel has it.</summary>
    public void CopyTo(Span<int> answers) => ((ReadOnlySpan<int>)[Pid, Tid, Uid, EffectiveUid, Gid, EffectiveGid]).CopyTo(answers);
}
