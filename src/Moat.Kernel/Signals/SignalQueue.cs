using System.Numerics;
using Moat.Linux;

namespace Moat.Kernel.Signals;

/// <summary>Pending signals of a task or a process: one of each standard signal, real-time signals in order of arrival. Guarded by <see cref="SentryKernel.TaskLock"/>.</summary>
public sealed class SignalQueue
{
    private static readonly SignalSet s_synchronous =
        SignalSet.Of(Signal.SIGSEGV) | SignalSet.Of(Signal.SIGBUS) | SignalSet.Of(Signal.SIGILL) | SignalSet.Of(Signal.SIGTRAP) | SignalSet.Of(Signal.SIGFPE) | SignalSet.Of(Signal.SIGSYS);

    private readonly List<SignalInfo> _queue = [];

    /// <summary>Which signals are pending.</summary>
    public SignalSet Pending { get; private set; }

    /// <summary>How many are queued.</summary>
    public int Count => _queue.Count;

    /// <summary>Adds a signal; a standard one that is pending already is dropped.</summary>
    public void Add(in SignalInfo info)
    {
        if (info.Signal < Signal.SIGRTMIN && Pending.Contains(info.Signal))
        {
            return;
        }

        _queue.Add(info);
        Pending |= SignalSet.Of(info.Signal);
    }

    /// <summary>Adds a timer's signal, whatever is pending: each timer has at most one.</summary>
    public void AddFromTimer(in SignalInfo info)
    {
        _queue.Add(info);
        Pending |= SignalSet.Of(info.Signal);
    }

    /// <summary>Whether a POSIX timer's signal is pending.</summary>
    public bool ContainsTimer(int timerId) => IndexOfTimer(timerId) >= 0;

    /// <summary>Drops a POSIX timer's signal.</summary>
    public void RemoveTimer(int timerId)
    {
        int index = IndexOfTimer(timerId);
        if (index >= 0)
        {
            Signal signal = _queue[index].Signal;
            _queue.RemoveAt(index);
            if (IndexOf(signal) < 0)
            {
                Pending -= SignalSet.Of(signal);
            }
        }
    }

    /// <summary>Takes the next signal of a set: synchronous ones first, then by number, then by age.</summary>
    public bool TryTake(SignalSet wanted, out SignalInfo info)
    {
        SignalSet candidates = Pending & wanted;
        if (candidates.IsEmpty)
        {
            info = default;
            return false;
        }

        SignalSet urgent = candidates & s_synchronous;
        Signal next = (Signal)(BitOperations.TrailingZeroCount((urgent.IsEmpty ? candidates : urgent).Bits) + 1);
        int index = IndexOf(next);
        info = _queue[index];
        _queue.RemoveAt(index);
        if (IndexOf(next) < 0)
        {
            Pending -= SignalSet.Of(next);
        }

        return true;
    }

    /// <summary>What is queued, in order of arrival.</summary>
    /// <param name="from">How many to pass over.</param>
    /// <param name="count">How many at most.</param>
    public SignalInfo[] List(ulong from, int count) =>
        from >= (ulong)_queue.Count ? [] : _queue.GetRange((int)from, Math.Min(count, _queue.Count - (int)from)).ToArray();

    /// <summary>Drops every pending signal of a set.</summary>
    public void Discard(SignalSet signals)
    {
        _queue.RemoveAll(queued => signals.Contains(queued.Signal));
        Pending -= signals;
    }

    private int IndexOfTimer(int timerId)
    {
        for (int i = 0; i < _queue.Count; i++)
        {
            if (_queue[i].Code == SignalInfo.SiTimer && _queue[i].TimerId == timerId)
            {
                return i;
            }
        }

        return -1;
    }

    private int IndexOf(Signal signal)
    {
        for (int i = 0; i < _queue.Count; i++)
        {
            if (_queue[i].Signal == signal)
            {
                return i;
            }
        }

        return -1;
    }
}
