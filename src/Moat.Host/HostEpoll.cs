using System.Runtime.InteropServices;
using Moat.Linux;

namespace Moat.Host;

/// <summary>An epoll instance of the host (epoll(7)) that tells every change of its descriptors once: edge-triggered, in all directions.</summary>
public sealed unsafe class HostEpoll
{
    private const int MaxEvents = 64;
    private readonly int _fd;
    private readonly Event[] _events = new Event[MaxEvents];

    private HostEpoll(int fd) => _fd = fd;

    /// <summary>Makes one, which lives as long as the process.</summary>
    public static Result<HostEpoll> Create()
    {
        const int CloseOnExec = 0x80000;
        SyscallResult result = HostCall.Invoke(SyscallNumber.epoll_create1, CloseOnExec);
        return result.IsError ? result.Errno : new HostEpoll((int)result.Raw);
    }

    /// <summary>Watches a descriptor until it is closed.</summary>
    public Errno Watch(int fd)
    {
        const int Add = 1; // EPOLL_CTL_ADD
        const uint All = 0x8000_2007; // EPOLLET | EPOLLRDHUP | EPOLLIN | EPOLLPRI | EPOLLOUT; errors and hang-ups come anyway
        Event wanted = new() { Events = All, Data = (ulong)fd };

        // SAFETY: a structure on this stack frame.
        return HostCall.Invoke(SyscallNumber.epoll_ctl, _fd, Add, fd, (nint)(&wanted)).Errno;
    }

    /// <summary>Waits for changes; one thread at a time.</summary>
    /// <returns>How many there are, for <see cref="ChangeAt"/>.</returns>
    public Result<int> Wait()
    {
        // SAFETY: the array is pinned for the call and bounds what the kernel writes.
        fixed (Event* pointer = _events)
        {
            SyscallResult result = HostCall.Invoke(SyscallNumber.epoll_wait, _fd, (nint)pointer, MaxEvents, -1);
            return result.IsError ? result.Errno : (int)result.Raw;
        }
    }

    /// <summary>A change that <see cref="Wait"/> found: the descriptor, which may have been closed since, and what it is ready for.</summary>
    public (int Fd, PollEvents Events) ChangeAt(int index) => ((int)_events[index].Data, (PollEvents)_events[index].Events);

    // struct epoll_event, which is packed on x86-64.
    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    private struct Event
    {
        public uint Events;
        public ulong Data;
    }
}
