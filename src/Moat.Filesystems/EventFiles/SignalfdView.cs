using Moat.Kernel.Tasks;
using Moat.Kernel.Waiting;
using Moat.Linux;

namespace Moat.Filesystems.EventFiles;

/// <summary>A signalfd(2) as one task waits on it: for its own signals and its process's.</summary>
internal sealed class SignalfdView(SignalfdDescription file, GuestTask task) : IWaitable
{
    /// <inheritdoc/>
    public PollEvents Readiness(PollEvents mask)
    {
        lock (task.Kernel.TaskLock)
        {
            return (task.Signals.Pending & file.Mask).IsEmpty ? PollEvents.None : PollEvents.POLLIN & mask;
        }
    }

    /// <inheritdoc/>
    public void AddWaiter(WaitEntry entry) => task.ThreadGroup.SignalWaiters.Add(entry);

    /// <inheritdoc/>
    public void RemoveWaiter(WaitEntry entry) => task.ThreadGroup.SignalWaiters.Remove(entry);
}
