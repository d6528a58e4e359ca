using Moat.Kernel.Tasks;

namespace Moat.Kernel.Vfs.Locks;

/// <summary>A task that waits for a lock. Guarded by the lock of its <see cref="FileLockTable"/>.</summary>
/// <param name="Task">The task.</param>
/// <param name="Wanted">What it waits for.</param>
/// <param name="Blocker">What was in the way when it looked last.</param>
internal sealed record LockWaiter(GuestTask Task, FileLock Wanted, FileLock Blocker);
