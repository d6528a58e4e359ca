namespace Moat.Kernel.Vfs.Locks;

/// <summary>One advisory lock, held or asked for.</summary>
/// <param name="Class">Which rules it follows.</param>
/// <param name="Kind">Read, Write, or None to unlock.</param>
/// <param name="Start">The first byte.</param>
/// <param name="End">The last byte; <see cref="long.MaxValue"/> for "to the end, however far it moves".</param>
/// <param name="Owner">The descriptor table or the open file description.</param>
/// <param name="Pid">Who made it, by its number in the sandbox's own namespace, for F_GETLK and /proc/locks; -1 for open file descriptions.</param>
public sealed record FileLock(LockClass Class, LockKind Kind, long Start, long End, object Owner, int Pid)
{
    /// <summary>Whether two locks have bytes in common.</summary>
    public bool Overlaps(FileLock other) => Start <= other.End && other.Start <= End;

    /// <summary>Whether one owner holds both.</summary>
    public bool IsOwnedAs(FileLock other) => Class == other.Class && ReferenceEquals(Owner, other.Owner);

    /// <summary>Whether the two cannot be held at once.</summary>
    public bool ConflictsWith(FileLock other) =>
        (Class == LockClass.Flock) == (other.Class == LockClass.Flock) && !IsOwnedAs(other) && (Kind == LockKind.Write || other.Kind == LockKind.Write) && Overlaps(other);

    /// <summary>Whether a lock of the same kind and owner makes one range with this.</summary>
    internal bool Touches(FileLock other) => Overlaps(other) || (End != long.MaxValue && End + 1 == other.Start) || (other.End != long.MaxValue && other.End + 1 == Start);
}
