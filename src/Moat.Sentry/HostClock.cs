using Moat.Host;
using Moat.Kernel.Time;

namespace Moat.Sentry;

/// <summary>The host's clocks, read without a system call where the host allows it.</summary>
internal sealed class HostClock : IKernelClock
{
    /// <inheritdoc/>
    public long MonotonicNs => HostTime.MonotonicNs;

    /// <inheritdoc/>
    public long RealtimeNs => HostTime.RealtimeNs;

    /// <inheritdoc/>
    public long BoottimeNs => MonotonicNs;
}
