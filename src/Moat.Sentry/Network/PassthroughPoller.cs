using Moat.Host;
using Moat.Kernel.Waiting;
using Moat.Linux;

namespace Moat.Sentry.Network;

/// <summary>One thread that hears of every change of the guest's host sockets and wakes those who wait for them. Changes are told once each, so that edges of the guest's epoll are the host's.</summary>
internal sealed class PassthroughPoller
{
    private const int StackBytes = 256 << 10;

    private readonly HostEpoll _epoll;
    private readonly DebugLog _log;
    private readonly Lock _lock = new();
    private readonly Dictionary<int, WaitQueue> _queues = []; // guarded by _lock

    /// <summary>Starts the thread, which ends with the process.</summary>
    /// <exception cref="InvalidOperationException">The host refuses an epoll instance.</exception>
    public PassthroughPoller(DebugLog log)
    {
        _log = log;
        _epoll = HostEpoll.Create().TryGet(out HostEpoll? epoll, out Errno errno) ? epoll : throw new InvalidOperationException($"epoll: {errno}");
        new Thread(Run, StackBytes) { IsBackground = true, Name = "sockets" }.Start();
    }

    /// <summary>A socket's waiters are told from now on.</summary>
    public Errno Add(int fd, WaitQueue waiters)
    {
        lock (_lock)
        {
            _queues[fd] = waiters;
        }

        return _epoll.Watch(fd);
    }

    /// <summary>A socket is about to be closed.</summary>
    public void Remove(int fd)
    {
        lock (_lock)
        {
            _queues.Remove(fd);
        }
    }

    private void Run()
    {
        while (true)
        {
            if (!_epoll.Wait().TryGet(out int count, out Errno errno) && errno != Errno.EINTR)
            {
                _log.Error($"sockets of the host: {errno}: nobody is woken any more");
                return;
            }

            for (int i = 0; i < count; i++)
            {
                (int fd, PollEvents events) = _epoll.ChangeAt(i);
                WaitQueue? waiters;
                lock (_lock)
                {
                    waiters = _queues.GetValueOrDefault(fd);
                }

                waiters?.Notify(events); // of a number that was closed and taken again: woken for nothing
            }
        }
    }
}
