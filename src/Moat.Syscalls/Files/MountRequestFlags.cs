namespace Moat.Syscalls.Files;

/// <summary>MS_* of mount(2) that say what to do rather than how the mount is.</summary>
[Flags]
internal enum MountRequestFlags : uint
{
    Remount = 32,
    Bind = 4096,
    Move = 8192,
    Recursive = 16384,
    Silent = 32768,
    Unbindable = 1 << 17,
    Private = 1 << 18,
    Slave = 1 << 19,
    Shared = 1 << 20,
    StrictAtime = 1 << 24,

    /// <summary>The four kinds of propagation.</summary>
    Propagation = Unbindable | Private | Slave | Shared,

    /// <summary>MS_NOUSER: the kernel's own.</summary>
    NoUser = 1u << 31,
}
