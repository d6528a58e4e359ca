using System.Diagnostics;
using Moat.Kernel.Time;

namespace Moat.Sentry;

/// <summary>The host's clocks, read without a system call where the host allows it.</summary>
internal sealed class HostClock : IKernelClock
{
    private const long UnixEpochTicks = 621_355_968_000_000_000;

    /// <inheritdoc/>
    public long MonotonicNs => Stopwatch.GetTimestamp() * (1_000_000_000 / Stopwatch.Frequency);

    /// <inheritdoc/>
    public long RealtimeNs => (DateTime.UtcNow.Ticks - UnixEpochTicks) * 100;

    /// <inheritdoc/>
    public long BoottimeNs => MonotonicNs;
}
