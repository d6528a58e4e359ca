using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Syscalls.Files;

/// <summary>The signal mask that ppoll(2), pselect6(2) and epoll_pwait(2) set while they wait.</summary>
internal static class SignalMask
{
    /// <summary>Sets the mask at an address, if there is one, and remembers the old one.</summary>
    /// <returns>EINVAL for another size than a kernel signal set's; EFAULT.</returns>
    public static Errno Swap(GuestTask task, GuestAddress address, ulong size)
    {
        if (address.IsNull)
        {
            return Errno.None;
        }

        if (size != sizeof(ulong))
        {
            return Errno.EINVAL;
        }

        Errno errno = task.Memory.Read(address, out SignalSet mask);
        if (errno == Errno.None)
        {
            lock (task.Kernel.TaskLock)
            {
                task.Signals.SavedMask = task.Signals.Blocked;
                task.Signals.SetBlocked(mask);
            }
        }

        return errno;
    }

    /// <summary>Puts the old mask back, unless a signal ended the wait: then the handler's return does.</summary>
    public static SyscallResult RestoreUnlessInterrupted(GuestTask task, SyscallResult result)
    {
        if (result.Errno is not (Errno.ERESTARTNOHAND or Errno.EINTR) && task.Signals.SavedMask is { } saved)
        {
            lock (task.Kernel.TaskLock)
            {
                task.Signals.SetBlocked(saved);
                task.Signals.SavedMask = null;
            }
        }

        return result;
    }
}
