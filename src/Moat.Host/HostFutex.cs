using Moat.Linux;

namespace Moat.Host;

/// <summary>futex(2) on memory that processes share.</summary>
public static unsafe class HostFutex
{
    private const int Wait_ = 0;
    private const int Wake_ = 1;

    /// <summary>Sleeps while the word has a value. May return early for no reason.</summary>
    /// <param name="address">A word that stays mapped.</param>
    /// <param name="value">The value.</param>
    /// <param name="timeoutNs">How long at most.</param>
    /// <returns>ETIMEDOUT; None for anything else.</returns>
    public static Errno Wait(nint address, int value, long timeoutNs)
    {
        // SAFETY: struct timespec on this stack frame.
        long* timeout = stackalloc long[2];
        timeout[0] = timeoutNs / 1_000_000_000;
        timeout[1] = timeoutNs % 1_000_000_000;
        return HostCall.Invoke(SyscallNumber.futex, address, Wait_, value, (nint)timeout).Errno == Errno.ETIMEDOUT ? Errno.ETIMEDOUT : Errno.None;
    }

    /// <summary>Wakes sleepers.</summary>
    public static void Wake(nint address, int count) => HostCall.Invoke(SyscallNumber.futex, address, Wake_, count);
}
