using System.Diagnostics;
using Moat.Kernel;
using Moat.Kernel.Time;
using Moat.Netstack;

namespace Moat.Benchmarks;

/// <summary>The host as kernel and network stack see it: a clock, numbers that are random enough, a log that nobody reads, timers that nobody runs.</summary>
internal sealed class BenchHost : IKernelClock, IRandomSource, IKernelLog, INetHost
{
    private readonly Random _random = new(1);

    public long MonotonicNs => Stopwatch.GetTimestamp();

    public long RealtimeNs => MonotonicNs;

    public long BoottimeNs => MonotonicNs;

    public long NowNs => MonotonicNs;

    public bool IsDebug => false;

    public void Fill(Span<byte> destination) => _random.NextBytes(destination);

    public void WakeAt(long deadlineNs)
    {
    }

    public void Debug(string message)
    {
    }

    public void Warning(string message)
    {
    }

    public void Error(string message, Exception? exception = null) => throw new InvalidOperationException(message, exception);
}
