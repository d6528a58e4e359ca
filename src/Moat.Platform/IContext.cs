using Moat.Linux;

namespace Moat.Platform;

/// <summary>The processor as one task sees it. <see cref="Switch"/>, the FPU calls and <see cref="IDisposable.Dispose"/> belong to the one thread that serves the task for
/// its whole life; <see cref="Interrupt"/> may be called from any thread.</summary>
public interface IContext : IDisposable
{
    /// <summary>Size in bytes of the FPU state in the processor's XSAVE format (non-compacted), the same for every context of the platform.</summary>
    int FpuStateSize { get; }

    /// <summary>Runs application code in <paramref name="space"/> from <paramref name="registers"/> on until something needs the kernel, and leaves the registers as they are then.
    /// After a system call <see cref="RegisterSet.OrigRax"/> holds its number, RAX -ENOSYS, and RIP points behind the instruction.</summary>
    /// <returns>Why it stopped. <see cref="SwitchReason.Interrupted"/> at once if <see cref="Interrupt"/> was called since the last switch returned.</returns>
    SwitchResult Switch(IAddressSpace space, ref RegisterSet registers);

    /// <summary>Makes a running or the next <see cref="Switch"/> return <see cref="SwitchReason.Interrupted"/>. Never blocks.</summary>
    void Interrupt();

    /// <summary>What calls may be answered with from the next switch on, without a return of <see cref="Switch"/>; null: every call is to return.</summary>
    CallAnswers? Answers { get; set; }

    /// <summary>How many system calls arrived through trampolines, and how many by a trap; for the debug log. Those that were answered without the kernel are in neither.</summary>
    (long Patched, long Trapped) Calls { get; }

    /// <summary>The task is about to sleep in the kernel: nothing need stay ready for its next switch.</summary>
    void Rest();

    /// <summary>Copies out the FPU state as of the end of the last switch (the initial state before the first).</summary>
    void ReadFpuState(Span<byte> state);

    /// <summary>Sets the FPU state for the next switch; the state may come from the guest (sigreturn, ptrace) and need not be valid.</summary>
    /// <returns>EINVAL if the processor would refuse it; nothing is changed then.</returns>
    Errno WriteFpuState(ReadOnlySpan<byte> state);

    /// <summary>Sets the state a process starts with after execve(2).</summary>
    void ResetFpuState();
}
