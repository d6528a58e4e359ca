namespace Moat.Kernel.Tasks;

/// <summary>A file that stands for a process: the directory /proc/PID, which pidfd_send_signal(2) takes as well as a pidfd.</summary>
public interface IProcessInode
{
    /// <summary>The process; null for a thread's directory.</summary>
    ThreadGroup? Process { get; }
}
