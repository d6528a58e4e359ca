using Moat.Linux;

namespace Moat.Kernel.Tasks;

/// <summary>A terminal as sessions see it; <see cref="JobControl"/> has the rules.</summary>
public interface ITerminal
{
    /// <summary>The foreground process group, or null. Guarded by <see cref="SentryKernel.TaskLock"/>.</summary>
    ProcessGroup? ForegroundGroup { get; set; }

    /// <summary>The session it controls, or null. Guarded by <see cref="SentryKernel.TaskLock"/>.</summary>
    Session? Session { get; set; }

    /// <summary>What /proc/PID/stat shows.</summary>
    DeviceNumber Device { get; }

    /// <summary>Its session has let go of it. Called with the task lock held.</summary>
    void OnReleased();
}
