namespace Moat.Kernel.Memory;

/// <summary>What may no longer be done to a file in memory: F_SEAL_* (fcntl(2), memfd_create(2)).</summary>
[Flags]
public enum FileSeals
{
    None = 0,

    /// <summary>F_SEAL_SEAL: no more seals.</summary>
    Seal = 1,

    Shrink = 2,
    Grow = 4,

    /// <summary>F_SEAL_WRITE: no writing by anybody.</summary>
    Write = 8,

    /// <summary>F_SEAL_FUTURE_WRITE: no writing but through shared mappings that exist already.</summary>
    FutureWrite = 0x10,

    /// <summary>F_SEAL_EXEC: the execute bits stay as they are.</summary>
    Exec = 0x20,

    /// <summary>Those that forbid write(2) and new writable mappings.</summary>
    AnyWrite = Write | FutureWrite,

    /// <summary>All that Linux knows.</summary>
    All = 0x3f,
}
