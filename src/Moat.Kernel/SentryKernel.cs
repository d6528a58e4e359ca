using Moat.Kernel.Time;
using Moat.Platform;

namespace Moat.Kernel;

/// <summary>The kernel of one sandbox: what all its tasks share.</summary>
public sealed class SentryKernel
{
    /// <summary>Makes a kernel; the Sentry's boot fills it.</summary>
    public SentryKernel(IPlatform platform, MemoryFile memoryFile, IKernelClock clock, IKernelLog log, IRandomSource random)
    {
        Platform = platform;
        MemoryFile = memoryFile;
        Clock = clock;
        Log = log;
        Random = random;
    }

    /// <summary>What runs application code.</summary>
    public IPlatform Platform { get; }

    /// <summary>All application memory.</summary>
    public MemoryFile MemoryFile { get; }

    /// <summary>The time.</summary>
    public IKernelClock Clock { get; }

    /// <summary>Where the kernel says what an administrator should know.</summary>
    public IKernelLog Log { get; }

    /// <summary>The host's random numbers.</summary>
    public IRandomSource Random { get; }
}
