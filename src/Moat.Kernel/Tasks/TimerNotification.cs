using Moat.Linux;

namespace Moat.Kernel.Tasks;

/// <summary>What an expiry does (<c>struct sigevent</c>, sigevent(7)).</summary>
/// <param name="Signal">The signal; None for SIGEV_NONE.</param>
/// <param name="Task">The task it goes to (SIGEV_THREAD_ID); null for the process.</param>
/// <param name="Value"><c>si_value</c>; null for the timer's own number.</param>
public readonly record struct TimerNotification(Signal Signal, GuestTask? Task, ulong? Value);
