using Moat.Linux;

namespace Moat.Kernel.Signals;

/// <summary>The handlers of a process. Guarded by <see cref="SentryKernel.TaskLock"/>.</summary>
public sealed class SignalActions
{
    private readonly SignalAction[] _actions = new SignalAction[65];

    /// <summary>The action for a signal.</summary>
    public SignalAction this[Signal signal]
    {
        get => _actions[(int)signal];
        set => _actions[(int)signal] = value;
    }

    /// <summary>A copy for a new process.</summary>
    public SignalActions Clone()
    {
        SignalActions copy = new();
        _actions.CopyTo(copy._actions, 0);
        return copy;
    }

    /// <summary>execve(2): handlers go, what is ignored stays so.</summary>
    public void ResetHandlers()
    {
        for (int i = 1; i < _actions.Length; i++)
        {
            _actions[i] = new SignalAction(_actions[i].IsIgnore ? 1UL : 0, 0, 0, default);
        }
    }
}
