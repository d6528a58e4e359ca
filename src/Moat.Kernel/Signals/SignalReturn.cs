using Moat.Kernel.Tasks;

namespace Moat.Kernel.Signals;

/// <summary>rt_sigreturn(2).</summary>
public static class SignalReturn
{
    /// <summary>Takes the frame at the stack pointer down; false if it can't be used (SIGSEGV).</summary>
    public static bool Run(GuestTask task)
    {
        lock (task.Kernel.TaskLock)
        {
            return SignalFrame.Pop(task);
        }
    }
}
