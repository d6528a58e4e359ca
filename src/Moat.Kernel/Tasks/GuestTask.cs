using Moat.Kernel.Credentials;
using Moat.Kernel.Memory;
using Moat.Kernel.Vfs;
using Moat.Kernel.Waiting;
using Moat.Linux;

namespace Moat.Kernel.Tasks;

/// <summary>One thread of an application, and the Sentry thread that serves it for its life.</summary>
/// <remarks>Members are used by that thread alone unless they say otherwise.</remarks>
public sealed class GuestTask
{
    /// <summary>The kernel it runs in.</summary>
    public SentryKernel Kernel => throw new NotSupportedException();

    /// <summary>Its process. Any thread.</summary>
    public ThreadGroup ThreadGroup => throw new NotSupportedException();

    /// <summary>gettid(2) in the initial pid namespace. Any thread.</summary>
    public int Tid => throw new NotSupportedException();

    /// <summary>comm: at most 15 bytes, from the executable or PR_SET_NAME. Any thread may read.</summary>
    public string Name => throw new NotSupportedException();

    /// <summary>Its address space; replaced by execve(2). Any thread may read.</summary>
    public MemoryManager Memory => throw new NotSupportedException();

    /// <summary>Its descriptors.</summary>
    public FdTable Files => throw new NotSupportedException();

    /// <summary>Root, working directory, umask.</summary>
    public FsContext Fs => throw new NotSupportedException();

    /// <summary>Who it is. Any thread may read.</summary>
    public TaskCredentials Credentials => throw new NotSupportedException();

    /// <summary>Waits until something unparks the task, a signal needs handling, or the time comes. The caller has queued wait entries and found its condition not met.</summary>
    /// <param name="deadlineNs">Monotonic time in nanoseconds, or <see cref="long.MaxValue"/> for no limit.</param>
    /// <returns>None when woken (perhaps for nothing: check again), ETIMEDOUT, or ERESTARTSYS when a signal or kill is to be handled (translate to what the call's man page says: ERESTARTNOHAND, EINTR …).</returns>
    public Errno Block(long deadlineNs = long.MaxValue) => throw new NotSupportedException();

    /// <summary>Wakes the task from <see cref="Block"/>, now or the next time. Any thread.</summary>
    public void Unblock() => throw new NotSupportedException();

    /// <summary>Waits until <paramref name="source"/> has one of the events. The usual way to block on a file: try, EAGAIN, wait, try again.</summary>
    /// <returns>As <see cref="Block"/>; None means that readiness was seen.</returns>
    public Errno WaitFor(IWaitable source, PollEvents events, long deadlineNs = long.MaxValue) => throw new NotSupportedException();
}
