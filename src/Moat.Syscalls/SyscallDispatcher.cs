using System.Collections.Concurrent;
using Moat.Kernel;
using Moat.Kernel.Signals;
using Moat.Kernel.Tasks;
using Moat.Linux;
using Moat.Syscalls.Process;
using Moat.Syscalls.Strace;

namespace Moat.Syscalls;

/// <summary>Carries out system calls by the table; says once of each call that is not there.</summary>
/// <param name="table">The calls.</param>
/// <param name="log">For calls that are missing.</param>
/// <param name="strace">Prints calls, or null.</param>
public sealed class SyscallDispatcher(SyscallTable table, IKernelLog log, StraceLog? strace) : ISyscallDispatcher
{
    private readonly ConcurrentDictionary<ulong, bool> _reported = new();

    /// <inheritdoc/>
    public bool WantsEveryCall => strace is not null || table.IsBrokenForTest;

    /// <inheritdoc/>
    public SyscallResult Dispatch(GuestTask task)
    {
        ulong number = task.Registers.OrigRax;
        SyscallEntry? entry = table.Find(number);
        SyscallArguments arguments = new(task.Registers);
        StraceCall? call = strace?.Begin(task, number, entry, arguments);
        task.Calls.Begin(task.Registers);
        SyscallResult result = Run(task, number, entry, arguments);
        task.Calls.End(result.Raw);
        if (call is not null)
        {
            strace!.End(call, task, arguments, result);
        }

        return result;
    }

    /// <inheritdoc/>
    public void OnHandler(GuestTask task, in SignalInfo info) => strace?.Signal(task, info);

    /// <inheritdoc/>
    public void OnEnd(GuestTask task, int status) => strace?.Ended(task, status);

    private SyscallResult Run(GuestTask task, ulong number, SyscallEntry? entry, in SyscallArguments arguments)
    {
        if (task.Seccomp is { } filters)
        {
            if (!SeccompGate.Allows(task, filters, out SyscallResult refused))
            {
                return refused;
            }

            if (task.Tracee is not null)
            {
                // A tracer that a filter asked may have made another call of it.
                number = task.Registers.OrigRax;
                entry = table.Find(number);
                return entry is null ? Missing(number) : entry.Handler(task, new SyscallArguments(task.Registers));
            }
        }

        return entry is null ? Missing(number) : entry.Handler(task, arguments);
    }

    private Errno Missing(ulong number)
    {
        if (number < SyscallTable.Size && _reported.TryAdd(number, true))
        {
            log.Warning($"system call {(SyscallNumber)number} is not implemented: ENOSYS");
        }

        return Errno.ENOSYS;
    }
}
