namespace Moat.Kernel.Tasks;

/// <summary>Carries out the system call that a task's registers hold.</summary>
public interface ISyscallDispatcher
{
    /// <summary>Runs the call and returns what goes into RAX. Never throws for what the application did.</summary>
    Linux.SyscallResult Dispatch(GuestTask task);
}
