using Moat.Linux;
using Moat.Platform;

namespace Moat.Kernel.Ptrace;

/// <summary>What a tracer has a stopped tracee's own thread do: a context's FPU state belongs to the thread that serves it (<see cref="IContext"/>).</summary>
internal sealed class TraceeWork
{
    private readonly byte[] _state;
    private readonly bool _isWrite;

    /// <param name="state">What is to be written, or filled.</param>
    /// <param name="isWrite">Whether the FPU state is set.</param>
    public TraceeWork(byte[] state, bool isWrite)
    {
        _state = state;
        _isWrite = isWrite;
    }

    /// <summary>Whether it has been done; <see cref="Result"/> is valid then.</summary>
    public bool IsDone { get; private set; }

    /// <summary>EINVAL for a state that the processor would refuse.</summary>
    public Errno Result { get; private set; }

    /// <summary>Does it. The tracee's thread, without a lock.</summary>
    public void Run(IContext context)
    {
        if (_isWrite)
        {
            Result = context.WriteFpuState(_state);
        }
        else
        {
            context.ReadFpuState(_state);
        }
    }

    /// <summary>Says so. Under the task lock.</summary>
    public void Finish() => IsDone = true;
}
