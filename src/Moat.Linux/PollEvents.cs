namespace Moat.Linux;

/// <summary>Readiness of a file: the bits of poll(2), which are those of epoll(7) as well (<c>asm-generic/poll.h</c>, <c>linux/eventpoll.h</c>).</summary>
[Flags]
public enum PollEvents : uint
{
    None = 0,
    POLLIN = 0x001,
    POLLPRI = 0x002,
    POLLOUT = 0x004,
    POLLERR = 0x008,
    POLLHUP = 0x010,
    POLLNVAL = 0x020,
    POLLRDNORM = 0x040,
    POLLRDBAND = 0x080,
    POLLWRNORM = 0x100,
    POLLWRBAND = 0x200,
    POLLMSG = 0x400,
    POLLRDHUP = 0x2000,

    /// <summary>Everything a reader waits for.</summary>
    Readable = POLLIN | POLLRDNORM,

    /// <summary>Everything a writer waits for.</summary>
    Writable = POLLOUT | POLLWRNORM,

    /// <summary>All readiness bits.</summary>
    All = 0x27ff,
}
