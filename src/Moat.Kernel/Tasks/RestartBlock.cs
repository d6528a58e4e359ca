using Moat.Linux;

namespace Moat.Kernel.Tasks;

/// <summary>Goes on with an interrupted call.</summary>
public delegate SyscallResult RestartHandler(GuestTask task, in RestartBlock block);

/// <summary>What restart_syscall(2) goes on with: a static method and the numbers it needs.</summary>
/// <param name="Handler">Goes on.</param>
/// <param name="Address">An address of the application's.</param>
/// <param name="DeadlineNs">Until when, in monotonic time.</param>
/// <param name="Value">A value, as the handler reads it.</param>
/// <param name="IsPrivate">Of a futex: whether it is private.</param>
public readonly record struct RestartBlock(RestartHandler Handler, GuestAddress Address, long DeadlineNs, uint Value = 0, bool IsPrivate = false);
