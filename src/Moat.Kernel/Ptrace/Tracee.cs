using Moat.Kernel.Credentials;
using Moat.Kernel.Memory;
using Moat.Kernel.Signals;
using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Kernel.Ptrace;

/// <summary>What a task is to its tracer, from the moment it is attached until it is detached (ptrace(2)). Guarded by <see cref="SentryKernel.TaskLock"/> except where it says otherwise.</summary>
/// <remarks>While it is stopped, its thread sleeps in <see cref="TraceStops"/> and its registers are the tracer's.</remarks>
/// <param name="task">The traced task.</param>
/// <param name="tracer">The task that traces it: one thread, which alone may make requests.</param>
/// <param name="isSeized">PTRACE_SEIZE rather than PTRACE_ATTACH or PTRACE_TRACEME.</param>
public sealed class Tracee(GuestTask task, GuestTask tracer, bool isSeized)
{
    private volatile bool _trapsForStop; // JOBCTL_TRAP_STOP: an interrupt, or a group stop to be shown
    private volatile bool _trapsForNews; // JOBCTL_TRAP_NOTIFY: of a seized one, SIGCONT has come
    private volatile bool _joinsStop; // JOBCTL_STOP_PENDING: a group stop has begun that it has not taken part in
    private MemoryManager? _inspected;
    private TraceeWork? _work;

    /// <summary>The task. Any thread.</summary>
    public GuestTask Task { get; } = task;

    /// <summary>Its tracer. Any thread.</summary>
    public GuestTask Tracer { get; } = tracer;

    /// <summary>Whether it was seized: stops of its group are events, and it can be interrupted. Any thread.</summary>
    public bool IsSeized { get; } = isSeized;

    /// <summary>Who the tracer was when it attached: what set-user-ID programs go by.</summary>
    public TaskCredentials TracerCredentials { get; } = tracer.Credentials;

    /// <summary>PTRACE_SETOPTIONS.</summary>
    public TraceOptions Options { get; set; }

    /// <summary>Whether it is stopped for its tracer (TASK_TRACED).</summary>
    public bool IsStopped { get; internal set; }

    /// <summary>Whether it is in a group stop that its tracer has left it in (PTRACE_LISTEN).</summary>
    public bool IsListening { get; internal set; }

    /// <summary>While stopped: what wait(2) has yet to report, a signal with an event in the bits above; then the signal that the tracer lets it go on with.</summary>
    public int Code { get; set; }

    /// <summary>The <c>siginfo_t</c> of the stop, if <see cref="HasInfo"/>.</summary>
    public SignalInfo Info { get; set; }

    /// <summary>Whether the stop has a <c>siginfo_t</c>: a group stop of one that was not seized has none.</summary>
    public bool HasInfo { get; internal set; }

    /// <summary>PTRACE_GETEVENTMSG.</summary>
    public ulong Message { get; internal set; }

    /// <summary>How far it runs, or ran to this stop.</summary>
    public TraceResume Resume { get; internal set; }

    /// <summary>Whether it runs a single instruction.</summary>
    public bool Steps { get; internal set; }

    /// <summary>Its hardware breakpoints, if any have been set.</summary>
    public Breakpoints? Breakpoints { get; set; }

    /// <summary>Whether the trap flag in its registers was put there to step, and is not its own. Its thread.</summary>
    internal bool HasForcedTrapFlag { get; set; }

    /// <summary>The signal of the group stop that it has yet to show.</summary>
    internal Signal StopSignal { get; set; }

    /// <summary>Whether a stopping signal taken from its queue still counts: SIGCONT, which may come while the tracer looks at it, takes it back.</summary>
    internal bool StopCounts { get; set; }

    /// <summary>Whether it has to stop before it goes on. Any thread.</summary>
    internal bool HasTrap => _trapsForStop || _trapsForNews || _joinsStop;

    /// <summary>Whether its tracer belongs to another process than its parent, so that each is told of its own.</summary>
    public bool IsForeign => Task.ThreadGroup.Parent != Tracer.ThreadGroup;

    /// <summary>Whether all that is left of it is for its tracer to wait for.</summary>
    public bool IsZombie => Task.HasEnded && (Task.ThreadGroup.Leader != Task || Task.ThreadGroup.IsZombie);

    /// <summary>Whether wait(2) has a stop to report.</summary>
    public bool HasReport => IsStopped && !IsListening && Code != 0;

    /// <summary>Whether requests can be made by a task.</summary>
    public bool IsHeldBy(GuestTask task) => Tracer == task && IsStopped && !IsListening;

    /// <summary>Whether the tracer wants to know of an event.</summary>
    public bool Wants(TraceEvent traceEvent) => (Options & (TraceOptions)(1 << (int)traceEvent)) != 0;

    /// <summary>PTRACE_INTERRUPT: it stops once more.</summary>
    public void Interrupt()
    {
        _trapsForStop = true;
        StirUp();
    }

    /// <summary>PTRACE_LISTEN.</summary>
    /// <returns>False if it was not seized or is in another kind of stop.</returns>
    public bool TryListen()
    {
        if (!IsSeized || !HasInfo || Info.Code >> 8 != (int)TraceEvent.Stop)
        {
            return false;
        }

        IsListening = true;
        if (_trapsForNews)
        {
            StirUp();
        }

        return true;
    }

    /// <summary>Lets it go on.</summary>
    /// <param name="resume">How far.</param>
    /// <param name="steps">Whether for one instruction.</param>
    /// <param name="signal">What it goes on with, or 0.</param>
    public void Continue(TraceResume resume, bool steps, int signal)
    {
        (Resume, Steps, Code) = (resume, steps, signal);
        IsStopped = false;
        Task.Unblock();
    }

    /// <summary>Reads or sets the FPU state.</summary>
    /// <param name="caller">The tracer.</param>
    /// <param name="state">Its bytes.</param>
    /// <param name="isWrite">Whether to set it.</param>
    /// <returns>ESRCH if it is not stopped any more; EINVAL for a state that the processor would refuse. Without the lock.</returns>
    public Errno TransferFpuState(GuestTask caller, byte[] state, bool isWrite)
    {
        TraceeWork work = new(state, isWrite);
        lock (Task.Kernel.TaskLock)
        {
            if (!IsHeldBy(caller))
            {
                return Errno.ESRCH;
            }

            _work = work;
            Task.Unblock();
        }

        while (true)
        {
            lock (Task.Kernel.TaskLock)
            {
                if (work.IsDone)
                {
                    return work.Result;
                }
            }

            caller.ParkUninterruptibly();
        }
    }

    /// <summary>What the tracer wants done, taken.</summary>
    internal TraceeWork? TakeWork()
    {
        TraceeWork? work = _work;
        _work = null;
        return work;
    }

    /// <summary>A group stop has begun, or (of the task whose signal began it) is to be shown.</summary>
    internal void JoinGroupStop(Signal signal, bool isOwn)
    {
        StopSignal = signal;
        _trapsForStop |= isOwn;
        _joinsStop |= !isOwn;
    }

    /// <summary>SIGCONT has come: a stop that has not been shown is off, and a seized one shows that.</summary>
    internal void LeaveGroupStop()
    {
        _joinsStop = false;
        StopCounts = false;
        if (IsSeized)
        {
            _trapsForNews = true;
            StirUp();
        }
    }

    /// <summary>A stop begins: it answers an interrupt, and one of the group answers what was to be shown.</summary>
    internal void NoteStop(bool isGroupStop)
    {
        _trapsForStop = false;
        _joinsStop &= !isGroupStop;
        _trapsForNews &= !(isGroupStop && IsSeized);
    }

    /// <summary>The code of its program, which is new, is to be seen as it is from now on; null: not any more.</summary>
    internal void Inspect(MemoryManager? memory)
    {
        _inspected?.RemoveInspector();
        _inspected = memory;
        memory?.AddInspector();
    }

    // Makes it look at its traps: where it runs or sleeps, or listens.
    private void StirUp()
    {
        if (!IsStopped)
        {
            SignalSender.Wake(Task);
        }
        else if (IsListening)
        {
            IsStopped = false;
            Task.Unblock();
        }
    }
}
