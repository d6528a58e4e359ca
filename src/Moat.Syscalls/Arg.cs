namespace Moat.Syscalls;

/// <summary>What an argument is, for strace and the compatibility table.</summary>
public enum Arg
{
    Int,
    UInt,
    Long,
    Hex,
    Octal,
    Size,
    Offset,
    Pointer,
    Fd,
    DirFd,

    /// <summary>A path: a string that is read before the call.</summary>
    Path,

    /// <summary>A string.</summary>
    String,

    /// <summary>A vector of strings (execve).</summary>
    StringVector,

    /// <summary>Bytes the call reads; their count is the next argument.</summary>
    BufferIn,

    /// <summary>Bytes the call writes; their count is the result.</summary>
    BufferOut,

    /// <summary>An iovec array the call reads from; the count is the next argument.</summary>
    IoVecIn,

    /// <summary>An iovec array the call fills.</summary>
    IoVecOut,
    OpenFlags,
    Mode,
    Whence,
    Pid,
    Signal,
    SignalSet,
    SignalAction,
    MemoryProtection,
    MapFlags,
    CloneFlags,
    Timespec,
    TimespecOut,
    Timeval,
    TimevalOut,
    StatOut,
    PollFds,
    EpollEvent,
    EpollEventsOut,
    SocketAddress,
    SocketAddressOut,
    MessageHeader,
    FutexOp,
    WaitStatusOut,
    FdPairOut,
    Rlimit,
    RlimitOut,
    RlimitIn,
    NamesOut,
    AccessMode,
    AtFlags,
    WaitOptions,
    ArchOption,
    HowMask,
    Uid,
    Clock,
    IoctlRequest,
    FcntlCommand,
    PrctlOption,
}
