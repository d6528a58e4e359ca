using Moat.Kernel.Credentials;
using Moat.Linux;

namespace Moat.Kernel.Ipc;

/// <summary>All System V objects of one kind. Its lock also guards the objects (line 8 of the lock order).</summary>
/// <typeparam name="T">The kind.</typeparam>
/// <param name="limit">How many there may be: SHMMNI, SEMMNI, MSGMNI.</param>
public sealed class IpcObjects<T>(int limit)
    where T : IpcObject
{
    private readonly SortedDictionary<int, T> _byIndex = [];
    private int _lastIndex = -1;
    private int _sequence;

    /// <summary>Guards the table and what is in it.</summary>
    public object Lock { get; } = new();

    /// <summary>How many there are.</summary>
    public int Count => _byIndex.Count;

    /// <summary>The highest index in use; -1 for none.</summary>
    public int HighestIndex => _byIndex.Count == 0 ? -1 : _byIndex.Keys.Last();

    /// <summary>All of them, by index.</summary>
    public IEnumerable<T> All => _byIndex.Values;

    /// <summary>shmget(2), semget(2), msgget(2): finds by key or makes. With the lock held.</summary>
    /// <param name="who">The caller.</param>
    /// <param name="key">The key.</param>
    /// <param name="flags">IPC_CREAT, IPC_EXCL and permissions.</param>
    /// <param name="check">Whether an existing one will do.</param>
    /// <param name="make">Makes a new one.</param>
    /// <returns>ENOENT, EEXIST, EACCES, ENOSPC.</returns>
    public Result<T> Get(TaskCredentials who, int key, int flags, Func<T, Errno> check, Func<Result<T>> make)
    {
        T? found = key == IpcTable.Private ? null : FindKey(key);
        if (found is null)
        {
            if (key != IpcTable.Private && (flags & IpcTable.Create) == 0)
            {
                return Errno.ENOENT;
            }

            if (Count >= limit)
            {
                return Errno.ENOSPC;
            }

            if (!make().TryGet(out T? made, out Errno failure))
            {
                return failure;
            }

            Add(made);
            return made;
        }

        if ((flags & (IpcTable.Create | IpcTable.Exclusive)) == (IpcTable.Create | IpcTable.Exclusive))
        {
            return Errno.EEXIST;
        }

        Errno errno = check(found);
        return errno != Errno.None ? errno : found.Allows(who, (uint)flags) ? found : Errno.EACCES;
    }

    /// <summary>Looks an id up. With the lock held.</summary>
    /// <returns>EINVAL for a negative or unknown one.</returns>
    public Result<T> Find(int id) => id >= 0 && _byIndex.TryGetValue(id % IpcTable.MaxIndex, out T? found) && found.Id == id ? found : Errno.EINVAL;

    /// <summary>Looks an index up, for the *_STAT commands. With the lock held.</summary>
    public Result<T> FindIndex(int index) => _byIndex.TryGetValue(index, out T? found) ? found : Errno.EINVAL;

    /// <summary>Takes one out. With the lock held.</summary>
    public void Remove(T gone)
    {
        gone.IsRemoved = true;
        _byIndex.Remove(gone.Id % IpcTable.MaxIndex);
    }

    private T? FindKey(int key)
    {
        foreach (T candidate in _byIndex.Values)
        {
            if (candidate.Key == key)
            {
                return candidate;
            }
        }

        return null;
    }

    private void Add(T made)
    {
        const int MaxSequence = 65535;
        do
        {
            if (++_lastIndex >= IpcTable.MaxIndex)
            {
                _lastIndex = 0;
                _sequence = _sequence == MaxSequence ? 0 : _sequence + 1;
            }
        }
        while (_byIndex.ContainsKey(_lastIndex));
        made.Id = (_sequence * IpcTable.MaxIndex) + _lastIndex;
        _byIndex.Add(_lastIndex, made);
    }
}
