using System.Globalization;
using Moat.Kernel.Signals;
using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Syscalls;

/// <summary>Counts what system calls allocate of the Sentry's managed memory, by the task's name (PR_SET_NAME) and the call; for tests that hot calls leave no garbage. Any thread.</summary>
/// <remarks>A task runs on one thread, so that the thread's own count is the task's. What is allocated between two calls (switching, faults, signals) has a line of its own.</remarks>
/// <param name="calls">Carries the calls out.</param>
public sealed class AllocationMeter(ISyscallDispatcher calls) : ISyscallDispatcher
{
    private const ulong Between = ulong.MaxValue; // not the number of a call

    [ThreadStatic]
    private static long t_seen; // what the thread had allocated when it was last looked at

    private readonly Dictionary<(string Task, ulong Number), Counts> _counts = []; // locked by itself

    /// <inheritdoc/>
    public bool WantsEveryCall => calls.WantsEveryCall;

    /// <inheritdoc/>
    public SyscallResult Dispatch(GuestTask task)
    {
        string name = task.Name;
        ulong number = task.Registers.OrigRax;
        Count(name, Between);
        SyscallResult result = calls.Dispatch(task);
        Count(name, number);
        return result;
    }

    /// <inheritdoc/>
    public void OnHandler(GuestTask task, in SignalInfo info) => calls.OnHandler(task, info);

    /// <inheritdoc/>
    public void OnEnd(GuestTask task, int status) => calls.OnEnd(task, status);

    /// <summary>A line for each name and call: name, call, how many there were, how many of them allocated, how many bytes.</summary>
    public IReadOnlyList<string> Describe()
    {
        List<string> lines = [];
        lock (_counts)
        {
            foreach (((string task, ulong number), Counts counts) in _counts)
            {
                string call = number == Between ? "between" : ((SyscallNumber)number).ToString();
                lines.Add(string.Create(CultureInfo.InvariantCulture, $"allocations: {task} {call} {counts.Calls} {counts.Allocating} {counts.Bytes}"));
            }
        }

        return lines;
    }

    // The meter's own garbage is left out: the thread's count is taken anew when it has finished.
    private void Count(string task, ulong number)
    {
        long bytes = GC.GetAllocatedBytesForCurrentThread() - t_seen;
        lock (_counts)
        {
            if (!_counts.TryGetValue((task, number), out Counts? counts))
            {
                counts = new Counts();
                _counts.Add((task, number), counts);
            }

            counts.Calls++;
            counts.Allocating += bytes > 0 ? 1 : 0;
            counts.Bytes += bytes;
        }

        t_seen = GC.GetAllocatedBytesForCurrentThread();
    }

    private sealed class Counts
    {
        public long Calls;
        public long Allocating;
        public long Bytes;
    }
}
