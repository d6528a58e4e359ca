namespace Moat.Kernel.Vfs.Locks;

/// <summary>The advisory locks of one inode. Guarded by the lock of its <see cref="FileLockTable"/>.</summary>
public sealed class InodeLocks
{
    private readonly FileLockTable _table;
    private readonly List<FileLock> _held = [];

    internal InodeLocks(FileLockTable table, Inode inode)
    {
        _table = table;
        Inode = inode;
    }

    internal Inode Inode { get; }

    internal List<FileLock> Held => _held;

    /// <summary>Who waits here, in the order they came.</summary>
    internal List<LockWaiter> Waiters { get; } = [];

    /// <summary>Gives back whatever an owner holds: a process closed a descriptor of the file, or an open file description ended. Any thread.</summary>
    public void ReleaseOwner(object owner) => _table.ReleaseOwner(this, owner);

    /// <summary>The first lock that keeps <paramref name="wanted"/> away.</summary>
    internal FileLock? FindConflict(FileLock wanted)
    {
        foreach (FileLock held in _held)
        {
            if (held.ConflictsWith(wanted))
            {
                return held;
            }
        }

        return null;
    }

    /// <summary>Carries a lock or unlock out for which there is no conflict: the owner's locks in the range are replaced, cut or made one with it.</summary>
    internal void Apply(FileLock wanted)
    {
        List<FileLock> pieces = [];
        for (int i = _held.Count - 1; i >= 0; i--)
        {
            FileLock held = _held[i];
            if (!held.IsOwnedAs(wanted))
            {
                continue;
            }

            if (held.Kind == wanted.Kind && held.Touches(wanted))
            {
                wanted = wanted with { Start = Math.Min(held.Start, wanted.Start), End = Math.Max(held.End, wanted.End) };
                _held.RemoveAt(i);
            }
            else if (held.Overlaps(wanted))
            {
                _held.RemoveAt(i);
                if (held.Start < wanted.Start)
                {
                    pieces.Add(held with { End = wanted.Start - 1 });
                }

                if (held.End > wanted.End)
                {
                    pieces.Add(held with { Start = wanted.End + 1 });
                }
            }
        }

        _held.AddRange(pieces);
        if (wanted.Kind != LockKind.None)
        {
            _held.Add(wanted);
        }

        _held.Sort(static (left, right) => left.Start.CompareTo(right.Start));
    }
}
