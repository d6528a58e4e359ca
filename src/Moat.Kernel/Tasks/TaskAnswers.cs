using Moat.Kernel.Credentials;
using Moat.Kernel.Seccomp;
using Moat.Platform;

namespace Moat.Kernel.Tasks;

/// <summary>What the platform may answer a task's calls with: all of it is the task's own and changes in its own calls alone. Nothing while somebody wants to see every call, or decides on one of these.</summary>
/// <param name="task">The task.</param>
internal sealed class TaskAnswers(GuestTask task)
{
    private TaskCredentials? _credentials;
    private SeccompState? _seccomp;
    private bool _isTraced;
    private int _tid;

    /// <summary>Brings them up to date, before the task goes on in the application.</summary>
    public void Refresh()
    {
        bool isTraced = task.Tracee is not null;
        if (!ReferenceEquals(_credentials, task.Credentials) || !ReferenceEquals(_seccomp, task.Seccomp) || _isTraced != isTraced || _tid != task.Tid)
        {
            _isTraced = isTraced;
            _credentials = task.Credentials;
            _seccomp = task.Seccomp;
            _tid = task.Tid;
            task.Context.Answers = (_seccomp is null || _seccomp.AllowsAlways(CallAnswers.Calls)) && !isTraced && !task.Kernel.Dispatcher.WantsEveryCall ? Make(_credentials) : null;
        }
    }

    private CallAnswers Make(TaskCredentials credentials) => new()
    {
        Pid = task.ThreadGroup.Pid,
        Tid = task.Tid,
        Uid = unchecked((int)credentials.RealUid), // the upper half is negative: for the kernel to answer
        EffectiveUid = unchecked((int)credentials.EffectiveUid),
        Gid = unchecked((int)credentials.RealGid),
        EffectiveGid = unchecked((int)credentials.EffectiveGid),
    };
}
