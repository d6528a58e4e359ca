namespace Moat.Kernel.Vfs.Locks;

/// <summary>Who a lock belongs to and which others it meets.</summary>
public enum LockClass
{
    /// <summary>F_SETLK: a process' descriptors; meets <see cref="OpenFile"/>.</summary>
    Posix,

    /// <summary>F_OFD_SETLK: an open file description; meets <see cref="Posix"/>.</summary>
    OpenFile,

    /// <summary>flock(2): an open file description; meets only its own class.</summary>
    Flock,
}
