using System.Runtime.InteropServices;
using Moat.Host;
using Moat.Host.Sockets;
using Moat.Linux;

namespace Moat.Control;

/// <summary>The Sentry's side of the control socket: a thread that accepts and watches connections, and one for each of them.</summary>
/// <remarks>Who may connect is decided by the permissions of the socket's directory, which only the owner of the runtime's state can enter. (The Sentry could not check
/// SO_PEERCRED: in its empty user namespace every uid reads as the overflow uid.)</remarks>
/// <param name="listener">The listening socket; stays the caller's.</param>
/// <param name="handler">Who answers.</param>
/// <param name="onError">Told of what went wrong, for the log.</param>
public sealed class ControlServer(int listener, IControlHandler handler, Action<string> onError)
{
    private const int MaxConnections = 256;

    private readonly Lock _lock = new();
    private readonly List<Connection> _connections = []; // guarded by _lock
    private readonly object _answering = new();
    private int _unanswered; // guarded by _answering, which is pulsed when it becomes 0
    private int _wake = -1;

    /// <summary>Starts the server's threads, which end with the process.</summary>
    /// <returns>The error if the host has no more descriptors.</returns>
    public Errno Start()
    {
        if (!HostFile.CreateEventFd().TryGet(out _wake, out Errno errno))
        {
            return errno;
        }

        new Thread(Accept, 256 * 1024) { IsBackground = true, Name = "control" }.Start();
        return Errno.None;
    }

    /// <summary>Waits until every call that is being carried out has been answered. The process calls it before it ends: whoever started a program that ended at once is to hear that it started.</summary>
    /// <param name="timeoutMs">After that callers are let down, whose calls are stuck.</param>
    /// <returns>Whether all have been answered.</returns>
    public bool AwaitAnswers(int timeoutMs)
    {
        long end = Environment.TickCount64 + timeoutMs;
        lock (_answering)
        {
            while (_unanswered > 0)
            {
                long leftMs = end - Environment.TickCount64;
                if (leftMs <= 0)
                {
                    return false;
                }

                Monitor.Wait(_answering, (int)leftMs);
            }

            return true;
        }
    }

    private void Accept()
    {
        List<PollFd> watched = [];
        List<Connection> watchedConnections = [];
        byte[] count = new byte[8];
        while (true)
        {
            watched.Clear();
            watchedConnections.Clear();
            watched.Add(new PollFd { Fd = _wake, Events = (short)PollEvents.POLLIN });
            lock (_lock)
            {
                // With too many connections new ones wait in the backlog.
                watched.Add(new PollFd { Fd = _connections.Count < MaxConnections ? listener : -1, Events = (short)PollEvents.POLLIN });
                foreach (Connection connection in _connections)
                {
                    watched.Add(new PollFd { Fd = connection.IsCallerGone ? -1 : connection.Channel.Fd, Events = (short)PollEvents.POLLRDHUP });
                    watchedConnections.Add(connection);
                }
            }

            Span<PollFd> fds = CollectionsMarshal.AsSpan(watched);
            SyscallResult polled = HostFile.Poll(fds, -1);
            if (polled.IsError && polled.Errno != Errno.EINTR)
            {
                onError($"control socket: poll: {polled.Errno}");
                return;
            }

            if (fds[0].ReturnedEvents != 0)
            {
                HostFile.Read(_wake, count);
            }

            for (int i = 2; i < fds.Length; i++)
            {
                if (fds[i].ReturnedEvents != 0)
                {
                    MarkGone(watchedConnections[i - 2]);
                }
            }

            if (fds[1].ReturnedEvents != 0)
            {
                AcceptOne();
            }
        }
    }

    private void AcceptOne()
    {
        if (!UnixSocket.Accept(listener).TryGet(out int fd, out Errno errno))
        {
            onError($"control socket: accept: {errno}");
            Thread.Sleep(100); // out of descriptors or memory: no busy loop
            return;
        }

        Connection connection = new(new ControlChannel(fd));
        lock (_lock)
        {
            _connections.Add(connection);
        }

        new Thread(() => Serve(connection), 512 * 1024) { IsBackground = true, Name = "control call" }.Start();
    }

    private void MarkGone(Connection connection)
    {
        lock (_lock)
        {
            if (_connections.Contains(connection))
            {
                connection.MarkGone();
            }
        }
    }

    private void Serve(Connection connection)
    {
        List<int> descriptors = [];
        while (connection.Channel.Receive(ControlJson.Default.ControlRequest, descriptors).TryGet(out ControlRequest? request, out Errno errno))
        {
            CountUnanswered(1);
            ControlReply reply = handler.Handle(request, descriptors, connection.CallerGone);
            Close(descriptors);
            errno = connection.Channel.Send(reply, ControlJson.Default.ControlReply, []);
            CountUnanswered(-1);
            if (errno != Errno.None)
            {
                break;
            }
        }

        Close(descriptors);
        lock (_lock)
        {
            _connections.Remove(connection);
            connection.Dispose();
        }

        HostFile.Write(_wake, [1, 0, 0, 0, 0, 0, 0, 0]);
    }

    private void CountUnanswered(int change)
    {
        lock (_answering)
        {
            _unanswered += change;
            if (_unanswered == 0)
            {
                Monitor.PulseAll(_answering);
            }
        }
    }

    private static void Close(List<int> descriptors)
    {
        descriptors.ForEach(static descriptor => HostMemory.Close(descriptor));
        descriptors.Clear();
    }

    private sealed class Connection(ControlChannel channel) : IDisposable
    {
        private readonly CancellationTokenSource _callerGone = new();

        public ControlChannel Channel { get; } = channel;

        public CancellationToken CallerGone => _callerGone.Token;

        public bool IsCallerGone => _callerGone.IsCancellationRequested;

        public void MarkGone() => _callerGone.Cancel();

        public void Dispose()
        {
            Channel.Dispose();
            _callerGone.Dispose();
        }
    }
}
