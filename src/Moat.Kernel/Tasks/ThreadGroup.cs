namespace Moat.Kernel.Tasks;

/// <summary>A process: the tasks that share signal handlers and an identity.</summary>
public sealed class ThreadGroup
{
    /// <summary>getpid(2) in the initial pid namespace.</summary>
    public int Pid => throw new NotSupportedException();
}
