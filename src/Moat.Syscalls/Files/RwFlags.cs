namespace Moat.Syscalls.Files;

/// <summary>RWF_* of preadv2(2) and pwritev2(2).</summary>
[Flags]
internal enum RwFlags
{
    None = 0,

    /// <summary>RWF_HIPRI: polled input and output; without effect where there is no such device.</summary>
    HighPriority = 1,

    DataSync = 2,
    Sync = 4,
    NoWait = 8,
    Append = 0x10,
    NoAppend = 0x20,

    /// <summary>Not a flag of the calls: a blocking write ends once something has been written (vmsplice(2)).</summary>
    Partial = 0x10000,

    /// <summary>All that is there; RWF_ATOMIC and RWF_DONTCACHE are for filesystems that have them.</summary>
    Known = HighPriority | DataSync | Sync | NoWait | Append | NoAppend,
}
