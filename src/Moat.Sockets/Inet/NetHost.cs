using Moat.Kernel;
using Moat.Kernel.Time;
using Moat.Netstack;

namespace Moat.Sockets.Inet;

/// <summary>What the TCP/IP stack needs, from the kernel: its clock, its randomness, and one of its timers.</summary>
public sealed class NetHost : INetHost
{
    private readonly SentryKernel _kernel;
    private readonly Wakeup _wakeup;
    private readonly Lock _lock = new(); // above the kernel's timers only
    private long _armedNs = long.MaxValue; // guarded by _lock

    /// <summary>The host of a stack, which is made with it and set as <see cref="Stack"/>.</summary>
    public NetHost(SentryKernel kernel)
    {
        _kernel = kernel;
        _wakeup = new Wakeup(this);
    }

    /// <summary>The stack whose timers are run.</summary>
    public NetworkStack? Stack { get; set; }

    /// <inheritdoc/>
    public long NowNs => _kernel.Clock.MonotonicNs;

    /// <inheritdoc/>
    public void Fill(Span<byte> random) => _kernel.Random.Fill(random);

    /// <inheritdoc/>
    public void WakeAt(long deadlineNs)
    {
        lock (_lock)
        {
            if (deadlineNs < _armedNs)
            {
                _armedNs = deadlineNs;
                _wakeup.Arm(deadlineNs);
            }
        }
    }

    private void Run()
    {
        lock (_lock)
        {
            _armedNs = long.MaxValue;
        }

        long next = Stack!.RunTimers();
        if (next != long.MaxValue)
        {
            WakeAt(next);
        }
    }

    private sealed class Wakeup(NetHost owner) : KernelTimer(owner._kernel.Timers)
    {
        protected override void OnExpired() => owner.Run();
    }
}
