using Moat.Kernel.Tasks;
using Moat.Kernel.Time;
using Moat.Linux;

namespace Moat.Syscalls.Process;

/// <summary>What wait4(2) and waitid(2) report.</summary>
/// <param name="Pid">The child or tracee; 0 for nothing.</param>
/// <param name="Status">The wait status.</param>
/// <param name="Code"><c>si_code</c>.</param>
/// <param name="CodeStatus"><c>si_status</c>.</param>
/// <param name="Uid"><c>si_uid</c>.</param>
/// <param name="Cpu">CPU time of one that has ended.</param>
/// <param name="Usage">What else it used.</param>
internal readonly record struct ChildEvent(int Pid, int Status, int Code, int CodeStatus, uint Uid, CpuTimes Cpu, TaskUsage? Usage)
{
    private const int StoppedBits = 0x7f;
    private const int ContinuedStatus = 0xffff;

    /// <summary>It has ended.</summary>
    public static ChildEvent OfEnd(GuestTask child, PidNamespace viewer, int status)
    {
        ThreadGroup group = child.ThreadGroup;
        TaskUsage usage = new();
        usage.Add(group.EndedUsage);
        usage.Add(group.ChildrenUsage);
        (int code, int codeStatus) = ProcessExit.Explain(status);
        return new ChildEvent(child.Id.In(viewer), status, code, codeStatus, child.Credentials.RealUid, group.EndedCpuTimes + group.ChildrenCpuTimes, usage);
    }

    /// <summary>It has stopped.</summary>
    /// <param name="child">Who.</param>
    /// <param name="viewer">Where the waiter lives.</param>
    /// <param name="signal">The signal; of a tracee with an event in the bits above.</param>
    /// <param name="code"><c>si_code</c>.</param>
    public static ChildEvent OfStop(GuestTask child, PidNamespace viewer, int signal, int code) => new(child.Id.In(viewer), (signal << 8) | StoppedBits, code, signal, child.Credentials.RealUid, default, null);

    /// <summary>It goes on.</summary>
    public static ChildEvent OfContinuation(GuestTask child, PidNamespace viewer) => new(child.Id.In(viewer), ContinuedStatus, ProcessExit.ChildContinued, (int)Signal.SIGCONT, child.Credentials.RealUid, default, null);
}
