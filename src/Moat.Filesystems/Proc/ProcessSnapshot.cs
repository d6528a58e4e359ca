using Moat.Kernel.Memory;
using Moat.Kernel.Signals;
using Moat.Kernel.Tasks;
using Moat.Kernel.Time;
using Moat.Linux;

namespace Moat.Filesystems.Proc;

/// <summary>What stat and status show of a task, taken at one moment.</summary>
internal sealed record ProcessSnapshot
{
    // Bits of the flags field (proc(5)), besides that of address-space randomisation.
    private const uint ForkedFlag = 0x40; // PF_FORKNOEXEC
    private const uint ExitingFlag = 0x4; // PF_EXITING

    public required ReadOnlyMemory<int> Pids { get; init; } // there, and in each namespace below
    public required ReadOnlyMemory<int> Tids { get; init; }
    public required ReadOnlyMemory<int> ProcessGroups { get; init; }
    public required ReadOnlyMemory<int> Sessions { get; init; }
    public required int Pid { get; init; }
    public required int Tid { get; init; }
    public required char State { get; init; }
    public required int ParentPid { get; init; }
    public required int TracerPid { get; init; }
    public required int ProcessGroup { get; init; }
    public required int Session { get; init; }
    public required long Terminal { get; init; }
    public required int ForegroundGroup { get; init; }
    public required uint Flags { get; init; }
    public required long UserNs { get; init; }
    public required long ChildUserNs { get; init; }
    public required int Nice { get; init; }
    public required int Threads { get; init; }
    public required long StartNs { get; init; }
    public required MemorySummary Memory { get; init; }
    public required TaskUsage Usage { get; init; }
    public required TaskUsage ChildrenUsage { get; init; }
    public required ulong ResidentLimit { get; init; }
    public required ProgramLayout Program { get; init; }
    public required ulong Pending { get; init; }
    public required ulong SharedPending { get; init; }
    public required ulong Blocked { get; init; }
    public required ulong Ignored { get; init; }
    public required ulong Caught { get; init; }
    public required int QueuedSignals { get; init; }
    public required ulong QueuedSignalLimit { get; init; }
    public required int ExitSignal { get; init; }
    public required int ExitStatus { get; init; }
    public required int FdTableSize { get; init; }

    public required long SystemNs { get; init; }

    public required long ChildSystemNs { get; init; }

    /// <summary>Takes it.</summary>
    /// <param name="task">The task.</param>
    /// <param name="viewer">Whose numbers it tells.</param>
    public static ProcessSnapshot Of(GuestTask task, PidNamespace viewer)
    {
        ThreadGroup group = task.ThreadGroup;
        MemorySummary memory = MemorySummary.Of(task);
        lock (task.Kernel.TaskLock)
        {
            (ulong ignored, ulong caught) = Handlers(group.Actions);
            CpuTimes cpu = task == group.Leader ? group.CpuTimes : task.CpuClock.Now;
            return new ProcessSnapshot
            {
                Pids = group.Id.From(viewer),
                Tids = task.Id.From(viewer),
                ProcessGroups = group.ProcessGroup.Id.From(viewer),
                Sessions = group.ProcessGroup.Session.Id.From(viewer),
                Pid = group.Id.In(viewer),
                Tid = task.Id.In(viewer),
                State = task.HasEnded ? 'Z' : task.Tracee is { IsStopped: true } ? 't' : group.IsStopped ? 'T' : task.IsBlocked ? 'S' : 'R',
                ParentPid = group.Parent?.Id.In(viewer) ?? 0,
                TracerPid = task.Tracee?.Tracer.Id.In(viewer) ?? 0,
                ProcessGroup = group.ProcessGroup.Id.In(viewer),
                Session = group.ProcessGroup.Session.Id.In(viewer),
                Terminal = (long)(group.ProcessGroup.Session.Terminal?.Device.Value ?? 0),
                ForegroundGroup = group.ProcessGroup.Session.Terminal is { } terminal ? terminal.ForegroundGroup?.Id.In(viewer) ?? 0 : -1,
                Flags = 0x400000u | (group.HasExecuted ? 0u : ForkedFlag) | (task.HasEnded ? ExitingFlag : 0u),
                UserNs = cpu.UserNs,
                SystemNs = cpu.SystemNs,
                ChildUserNs = group.ChildrenCpuTimes.UserNs,
                ChildSystemNs = group.ChildrenCpuTimes.SystemNs,
                Nice = group.Nice,
                Threads = group.Tasks.Count,
                StartNs = group.StartNs,
                Memory = memory,
                Usage = task == group.Leader ? group.SumUsage() : task.Usage,
                ChildrenUsage = group.ChildrenUsage,
                ResidentLimit = group.Limits.Get(5).Current,
                Program = task.Memory.Program,
                Pending = task.Signals.Queue.Pending.Bits,
                SharedPending = group.SharedSignals.Pending.Bits,
                Blocked = task.Signals.Blocked.Bits,
                Ignored = ignored,
                Caught = caught,
                QueuedSignals = task.Signals.Queue.Count + group.SharedSignals.Count,
                QueuedSignalLimit = group.Limits.Get(ResourceLimits.PendingSignals).Current,
                ExitSignal = (int)group.ExitSignal,
                ExitStatus = group.ExitStatus,
                FdTableSize = task.Files.Capacity,
            };
        }
    }

    private static (ulong Ignored, ulong Caught) Handlers(SignalActions actions)
    {
        SignalSet ignored = default;
        SignalSet caught = default;
        for (Signal signal = Signal.SIGHUP; signal <= Signal.SIGRTMAX; signal++)
        {
            SignalAction action = actions[signal];
            ignored |= action.IsIgnore ? SignalSet.Of(signal) : default;
            caught |= !action.IsIgnore && !action.IsDefault ? SignalSet.Of(signal) : default;
        }

        return (ignored.Bits, caught.Bits);
    }
}
