using System.Runtime.InteropServices;
using Moat.Kernel.Memory;
using Moat.Kernel.Ptrace;
using Moat.Kernel.Signals;
using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Syscalls.Process;

/// <summary>PTRACE_GETSIGINFO, PTRACE_SETSIGINFO, PTRACE_PEEKSIGINFO, PTRACE_GETSIGMASK, PTRACE_SETSIGMASK.</summary>
internal static class PtraceSignals
{
    private const int MaxPeeked = 4096;

    public static SyscallResult Run(GuestTask task, Tracee tracee, PtraceRequest request, in SyscallArguments arguments) => request switch
    {
        PtraceRequest.GetSignalInfo => GetInfo(task, tracee, arguments.Address(3)),
        PtraceRequest.SetSignalInfo => SetInfo(task, tracee, arguments.Address(3)),
        PtraceRequest.PeekSignalInfo => Peek(task, tracee, arguments),
        _ when arguments[2] != sizeof(ulong) => Errno.EINVAL,
        PtraceRequest.GetSignalMask => GetMask(task, tracee, arguments.Address(3)),
        _ => SetMask(task, tracee, arguments.Address(3)),
    };

    private static Errno GetInfo(GuestTask task, Tracee tracee, GuestAddress address)
    {
        SignalInfo info;
        lock (task.Kernel.TaskLock)
        {
            if (!tracee.IsHeldBy(task) || !tracee.HasInfo)
            {
                return tracee.HasInfo ? Errno.ESRCH : Errno.EINVAL;
            }

            info = tracee.Info;
        }

        return task.Memory.CopyOut(address, (ReadOnlySpan<byte>)info);
    }

    private static Errno SetInfo(GuestTask task, Tracee tracee, GuestAddress address)
    {
        SignalInfo info = default;
        Errno errno = task.Memory.CopyIn(address, (Span<byte>)info);
        if (errno != Errno.None)
        {
            return errno;
        }

        lock (task.Kernel.TaskLock)
        {
            if (!tracee.IsHeldBy(task) || !tracee.HasInfo)
            {
                return tracee.HasInfo ? Errno.ESRCH : Errno.EINVAL;
            }

            tracee.Info = info;
            return Errno.None;
        }
    }

    private static SyscallResult Peek(GuestTask task, Tracee tracee, in SyscallArguments arguments)
    {
        const uint Shared = 1; // PTRACE_PEEKSIGINFO_SHARED
        Errno errno = task.Memory.Read(arguments.Address(2), out PeekArguments wanted);
        if (errno != Errno.None)
        {
            return errno;
        }

        if ((wanted.Flags & ~Shared) != 0 || wanted.Count < 0)
        {
            return Errno.EINVAL;
        }

        SignalInfo[] found;
        lock (task.Kernel.TaskLock)
        {
            if (!tracee.IsHeldBy(task))
            {
                return Errno.ESRCH;
            }

            SignalQueue queue = (wanted.Flags & Shared) != 0 ? tracee.Task.ThreadGroup.SharedSignals : tracee.Task.Signals.Queue;
            found = queue.List(wanted.Offset, Math.Min(wanted.Count, MaxPeeked));
        }

        for (int i = 0; i < found.Length; i++)
        {
            errno = task.Memory.CopyOut(arguments.Address(3) + ((ulong)i * SignalInfo.Size), (ReadOnlySpan<byte>)found[i]);
            if (errno != Errno.None)
            {
                return i > 0 ? i : errno;
            }
        }

        return found.Length;
    }

    private static Errno GetMask(GuestTask task, Tracee tracee, GuestAddress address)
    {
        SignalSet mask;
        lock (task.Kernel.TaskLock)
        {
            if (!tracee.IsHeldBy(task))
            {
                return Errno.ESRCH;
            }

            mask = tracee.Task.Signals.SavedMask ?? tracee.Task.Signals.Blocked;
        }

        return task.Memory.Write(address, mask);
    }

    private static Errno SetMask(GuestTask task, Tracee tracee, GuestAddress address)
    {
        Errno errno = task.Memory.Read(address, out SignalSet mask);
        if (errno != Errno.None)
        {
            return errno;
        }

        lock (task.Kernel.TaskLock)
        {
            if (!tracee.IsHeldBy(task))
            {
                return Errno.ESRCH;
            }

            tracee.Task.Signals.SetBlocked(mask);
            tracee.Task.Signals.SavedMask = null;
            return Errno.None;
        }
    }

    // struct ptrace_peeksiginfo_args.
    [StructLayout(LayoutKind.Sequential)]
    private readonly struct PeekArguments
    {
        public readonly ulong Offset;
        public readonly uint Flags;
        public readonly int Count;
    }
}
