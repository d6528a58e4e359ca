using CsCheck;
using Moat.Kernel.Vfs.Locks;

namespace Moat.Kernel.Tests.Vfs;

public sealed class InodeLocksTests
{
    private const int Bytes = 24;

    private static readonly object[] s_owners = [new(), new()];

    [Fact]
    public void AnyOperations_LeaveWhatAModelOfSingleBytesSays() =>
        Gen.Select(Gen.Int[0, 1], Gen.Enum<LockKind>(), Gen.Int[0, Bytes - 1], Gen.Int[0, Bytes - 1]).Array[1, 40].Sample(operations =>
        {
            InodeLocks locks = new(new FileLockTable(), null!);
            LockKind[,] model = new LockKind[2, Bytes];
            for (int i = 0; i < Bytes; i++)
            {
                model[0, i] = model[1, i] = LockKind.None;
            }

            foreach ((int owner, LockKind kind, int a, int b) in operations)
            {
                (int start, int end) = (Math.Min(a, b), Math.Max(a, b));
                FileLock wanted = new(LockClass.Posix, kind, start, end, s_owners[owner], owner);
                bool conflicts = Enumerable.Range(start, end - start + 1).Any(at => kind != LockKind.None && (model[1 - owner, at] == LockKind.Write || (kind == LockKind.Write && model[1 - owner, at] != LockKind.None)));
                Assert.Equal(conflicts && kind != LockKind.None, kind != LockKind.None && locks.FindConflict(wanted) is not null);
                if (conflicts)
                {
                    continue;
                }

                locks.Apply(wanted);
                for (int at = start; at <= end; at++)
                {
                    model[owner, at] = kind;
                }
            }

            AssertSame(locks, model);
        });

    [Fact]
    public void Flock_DoesNotMeetRecordLocks()
    {
        FileLock flock = new(LockClass.Flock, LockKind.Write, 0, long.MaxValue, s_owners[0], 1);
        Assert.False(flock.ConflictsWith(new FileLock(LockClass.Posix, LockKind.Write, 0, long.MaxValue, s_owners[1], 2)));
        Assert.True(flock.ConflictsWith(new FileLock(LockClass.Flock, LockKind.Read, 0, long.MaxValue, s_owners[1], 2)));
    }

    [Fact]
    public void TheLastByte_CanBeLockedAndUnlocked()
    {
        InodeLocks locks = new(new FileLockTable(), null!);
        FileLock all = new(LockClass.Posix, LockKind.Write, 0, long.MaxValue, s_owners[0], 1);
        locks.Apply(all);
        locks.Apply(all with { Kind = LockKind.None, Start = long.MaxValue });
        Assert.Equal(long.MaxValue - 1, Assert.Single(locks.Held).End);
        locks.Apply(all with { Start = long.MaxValue });
        Assert.Equal(long.MaxValue, Assert.Single(locks.Held).End);
    }

    private static void AssertSame(InodeLocks locks, LockKind[,] model)
    {
        for (int owner = 0; owner < 2; owner++)
        {
            List<FileLock> own = locks.Held.FindAll(held => held.Owner == s_owners[owner]);
            for (int at = 0; at < Bytes; at++)
            {
                List<FileLock> covering = own.FindAll(held => held.Start <= at && at <= held.End);
                Assert.True(covering.Count <= 1);
                Assert.Equal(model[owner, at], covering.Count == 1 ? covering[0].Kind : LockKind.None);
            }

            for (int i = 1; i < own.Count; i++)
            {
                Assert.False(own[i - 1].Kind == own[i].Kind && own[i - 1].Touches(own[i]), "neighbours of one kind are one lock");
            }
        }
    }
}
