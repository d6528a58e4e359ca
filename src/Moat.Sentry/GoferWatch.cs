using Moat.Host;
using Moat.Linux;

namespace Moat.Sentry;

/// <summary>Ends the sandbox when its Gofer has gone: without files nothing in it can go on.</summary>
internal static class GoferWatch
{
    private const int StackBytes = 64 << 10;

    /// <summary>Watches a connection on a thread of its own.</summary>
    public static void Start(int connection, Action onGone)
    {
        Thread thread = new(
            () =>
            {
                while ((HostFile.Poll(connection, PollEvents.None, -1) & (PollEvents.POLLHUP | PollEvents.POLLERR)) == 0)
                {
                }

                onGone();
            },
            StackBytes) { IsBackground = true, Name = "gofer watch" };
        thread.Start();
    }
}
