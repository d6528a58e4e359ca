using Moat.Kernel.Credentials;
using Moat.Kernel.Tasks;
using Moat.Kernel.Waiting;
using Moat.Linux;

namespace Moat.Kernel.Ipc;

/// <summary>A System V semaphore set (semop(2)). Guarded by its table's lock.</summary>
public sealed class SemaphoreSet(IpcNamespace ipc, int key, TaskCredentials creator, uint mode, long nowSeconds, int count) : IpcObject(key, creator, mode, nowSeconds)
{
    /// <summary>SEMVMX.</summary>
    public const int MaxValue = 32767;

    private readonly ushort[] _values = new ushort[count];
    private readonly int[] _lastPids = new int[count];
    private readonly int[] _waitingForMore = new int[count];
    private readonly int[] _waitingForZero = new int[count];
    private readonly Dictionary<ThreadGroup, int[]> _undo = [];

    /// <summary>How many semaphores it has.</summary>
    public int Count => _values.Length;

    /// <summary>When an operation last succeeded, in seconds since 1970; 0 for never.</summary>
    public long OperationTime { get; set; }

    /// <summary>Told when values change or the set goes.</summary>
    public WaitQueue Changes { get; } = new();

    /// <summary>GETVAL.</summary>
    public int ValueOf(int number) => _values[number];

    /// <summary>GETPID.</summary>
    public int LastPidOf(int number) => _lastPids[number];

    /// <summary>GETNCNT.</summary>
    public int WaitersForMore(int number) => _waitingForMore[number];

    /// <summary>GETZCNT.</summary>
    public int WaitersForZero(int number) => _waitingForZero[number];

    /// <summary>SETVAL and SETALL: sets a value, which is in range; adjustments to undo are forgotten.</summary>
    public void SetValue(int number, int value, int pid)
    {
        _values[number] = (ushort)value;
        _lastPids[number] = pid;
        foreach (int[] adjustments in _undo.Values)
        {
            adjustments[number] = 0;
        }

        Changes.Notify(PollEvents.POLLIN);
    }

    /// <summary>Tries all operations as one.</summary>
    /// <param name="process">The caller's.</param>
    /// <param name="operations">Their numbers are checked.</param>
    /// <param name="blocking">The operation that must wait, on EAGAIN.</param>
    /// <returns>EAGAIN, ERANGE.</returns>
    public Errno TryOperate(ThreadGroup process, ReadOnlySpan<SemaphoreOperation> operations, out SemaphoreOperation blocking)
    {
        blocking = default;
        Errno errno = PrepareUndo(process, operations);
        int done = 0;
        for (; done < operations.Length && errno == Errno.None; done++)
        {
            SemaphoreOperation operation = operations[done];
            int value = _values[operation.Number] + operation.Change;
            if (operation.Change == 0 ? _values[operation.Number] != 0 : value < 0)
            {
                blocking = operation;
                errno = Errno.EAGAIN;
            }
            else if (value > MaxValue || ((operation.Flags & SemaphoreOperation.UndoFlag) != 0 && Math.Abs(AdjustmentOf(process, operation.Number) - operation.Change) > MaxValue))
            {
                errno = Errno.ERANGE;
            }
            else
            {
                _values[operation.Number] = (ushort)value;
            }
        }

        if (errno != Errno.None)
        {
            for (int i = done - 2; i >= 0; i--)
            {
                _values[operations[i].Number] = (ushort)(_values[operations[i].Number] - operations[i].Change);
            }

            return errno;
        }

        foreach (SemaphoreOperation operation in operations)
        {
            _lastPids[operation.Number] = process.Pid;
            if (operation.Change != 0 && (operation.Flags & SemaphoreOperation.UndoFlag) != 0)
            {
                _undo[process][operation.Number] -= operation.Change;
            }
        }

        Changes.Notify(PollEvents.POLLIN);
        return Errno.None;
    }

    /// <summary>Counts a task that waits for an operation, or no longer does.</summary>
    public void CountWaiter(in SemaphoreOperation operation, int change) =>
        (operation.Change == 0 ? _waitingForZero : _waitingForMore)[operation.Number] += change;

    /// <summary>IPC_RMID: gives back what it counted.</summary>
    public void OnRemoved()
    {
        ipc.SemaphoreBudget.Return(_values.Length);
        ipc.UndoBudget.Return((long)_undo.Count * _values.Length);
        _undo.Clear();
        Changes.Notify(PollEvents.POLLIN);
    }

    /// <summary>SEM_UNDO: a process has ended.</summary>
    internal void Undo(ThreadGroup process)
    {
        if (!_undo.Remove(process, out int[]? adjustments))
        {
            return;
        }

        ipc.UndoBudget.Return(adjustments.Length);

        for (int i = 0; i < adjustments.Length; i++)
        {
            if (adjustments[i] != 0)
            {
                _values[i] = (ushort)Math.Clamp(_values[i] + adjustments[i], 0, MaxValue);
                _lastPids[i] = process.Pid;
            }
        }

        Changes.Notify(PollEvents.POLLIN);
    }

    private int AdjustmentOf(ThreadGroup process, int number) => _undo.TryGetValue(process, out int[]? adjustments) ? adjustments[number] : 0;

    private Errno PrepareUndo(ThreadGroup process, ReadOnlySpan<SemaphoreOperation> operations)
    {
        bool undoes = false;
        foreach (SemaphoreOperation operation in operations)
        {
            undoes |= operation.Change != 0 && (operation.Flags & SemaphoreOperation.UndoFlag) != 0;
        }

        if (!undoes || _undo.ContainsKey(process))
        {
            return Errno.None;
        }

        if (!ipc.UndoBudget.TryTake(_values.Length))
        {
            return Errno.ENOSPC;
        }

        process.HasSemaphoreUndo = true;
        _undo.Add(process, new int[_values.Length]);
        return Errno.None;
    }
}
