using Moat.Linux;

namespace Moat.Filesystems.EventFiles;

/// <summary>A queued <c>struct inotify_event</c>.</summary>
internal readonly record struct InotifyEvent(int Watch, InotifyMask Events, uint Cookie, FileName? Name)
{
    /// <summary>Bytes before the name.</summary>
    public const int HeaderSize = 16;

    /// <summary>The name with its zero byte, filled up to a multiple of the header.</summary>
    public int NameSize => Name is null ? 0 : (Name.Length + 1 + HeaderSize - 1) / HeaderSize * HeaderSize;
}
