namespace Moat.Kernel.Vfs.Locks;

/// <summary>What a lock allows others: F_RDLCK, F_WRLCK and F_UNLCK of fcntl(2).</summary>
public enum LockKind
{
    Read = 0,
    Write = 1,
    None = 2,
}
