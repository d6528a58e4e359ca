using Moat.Host;
using Moat.Linux;

namespace Moat.Filesystems.HostFd;

/// <summary>One thread that waits for donated host descriptors on behalf of tasks. It sleeps while nobody waits; a descriptor is watched only while somebody wants it.</summary>
public sealed class HostPoller
{
    private readonly Lock _lock = new();
    private readonly List<HostWatch> _watched = []; // guarded by _lock
    private readonly int _wakeFd;
    private bool _isRunning; // guarded by _lock

    /// <summary>Makes the poller; its thread starts with the first watch.</summary>
    /// <exception cref="InvalidOperationException">The host refuses an eventfd.</exception>
    public HostPoller() => _wakeFd = HostFile.CreateEventFd().TryGet(out int fd, out Errno errno) ? fd : throw new InvalidOperationException($"eventfd: {errno}");

    /// <summary>Watches a descriptor until <see cref="Unwatch"/>.</summary>
    internal void Watch(HostWatch watch)
    {
        lock (_lock)
        {
            if (!_watched.Contains(watch))
            {
                _watched.Add(watch);
            }

            if (!_isRunning)
            {
                _isRunning = true;
                new Thread(Run, 256 << 10) { IsBackground = true, Name = "poller" }.Start();
            }
        }

        Wake();
    }

    /// <summary>Watches a descriptor again that has been told of and was waited for since.</summary>
    internal void WatchAgain(HostWatch watch)
    {
        lock (_lock)
        {
            if (_watched.Contains(watch))
            {
                return;
            }

            _watched.Add(watch);
        }

        Wake();
    }

    /// <summary>Ends a watch.</summary>
    internal void Unwatch(HostWatch watch)
    {
        lock (_lock)
        {
            _watched.Remove(watch);
        }

        Wake();
    }

    private void Wake() => HostFile.Write(_wakeFd, [1, 0, 0, 0, 0, 0, 0, 0]);

    private void Run()
    {
        HostProcessors.Free(0); // whoever watched first may be bound
        Span<byte> drained = stackalloc byte[8];
        while (true)
        {
            HostWatch[] watched;
            lock (_lock)
            {
                watched = [.. _watched];
            }

            PollFd[] fds = new PollFd[watched.Length + 1];
            fds[0] = new PollFd { Fd = _wakeFd, Events = (short)PollEvents.POLLIN };
            for (int i = 0; i < watched.Length; i++)
            {
                fds[i + 1] = new PollFd { Fd = watched[i].HostFd, Events = (short)watched[i].ArmedEvents };
            }

            HostFile.Poll(fds, -1);
            HostFile.Read(_wakeFd, drained);
            for (int i = 0; i < watched.Length; i++)
            {
                if (fds[i + 1].ReturnedEvents != 0)
                {
                    // Told once for each watch: the waiter comes back if it wants more.
                    lock (_lock)
                    {
                        _watched.Remove(watched[i]);
                    }

                    watched[i].Notify((PollEvents)(ushort)fds[i + 1].ReturnedEvents);
                }
            }
        }
    }
}
