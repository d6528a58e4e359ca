namespace Moat.Filesystems.EventFiles;

/// <summary>What epoll_wait(2) tells of one descriptor.</summary>
/// <param name="Events">EPOLL* events.</param>
/// <param name="Data">What it was added with.</param>
public readonly record struct EpollEvent(uint Events, ulong Data);
