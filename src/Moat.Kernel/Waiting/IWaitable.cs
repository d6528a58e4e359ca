using Moat.Linux;

namespace Moat.Kernel.Waiting;

/// <summary>Something whose readiness can be asked for and waited for: what poll(2), epoll(7) and blocking calls see of a file.</summary>
public interface IWaitable
{
    /// <summary>What is ready now, of what <paramref name="mask"/> asks for; POLLERR and POLLHUP are reported unasked. Does not block.</summary>
    PollEvents Readiness(PollEvents mask);

    /// <summary>Has <paramref name="entry"/> told of every later change into one of its events. A change before the call is not told: add first, ask <see cref="Readiness"/> then.</summary>
    void AddWaiter(WaitEntry entry);

    /// <summary>Ends what <see cref="AddWaiter"/> began; the entry's callback does not run after this returns, unless it is running on this thread.</summary>
    void RemoveWaiter(WaitEntry entry);
}
