namespace Moat.Kernel.Signals;

/// <summary>What happens to a process that does nothing about a signal (signal(7)).</summary>
public enum DefaultAction
{
    Terminate,
    Core,
    Ignore,
    Stop,
    Continue,
}
