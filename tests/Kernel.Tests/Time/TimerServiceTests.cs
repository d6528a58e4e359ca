using System.Collections.Concurrent;
using System.Diagnostics;
using CsCheck;
using Moat.Kernel.Time;
using Moat.TestSupport;

namespace Moat.Kernel.Tests.Time;

public sealed class TimerServiceTests
{
    private const long Millisecond = 1_000_000;

    [Fact]
    public void Timers_ExpireInTheOrderOfTheirDeadlines() => Gen.Int[0, 20].Array[1, 12].Sample(
        static delays =>
        {
            HeldClock clock = new();
            TimerService service = new(clock);
            BlockingCollection<int> expired = [];
            foreach (int delay in delays)
            {
                new Recorder(service, delay, expired).Arm(Millisecond + (delay * Millisecond / 4));
            }

            clock.Start();
            List<int> order = [];
            while (order.Count < delays.Length)
            {
                Assert.True(expired.TryTake(out int delay, Patience.Limit));
                order.Add(delay);
            }

            Assert.Equal(delays.Order(), order);
        },
        iter: 20,
        threads: 1);

    [Fact]
    public void Disarm_And_Arm_MoveATimer()
    {
        HeldClock clock = new();
        TimerService service = new(clock);
        BlockingCollection<int> expired = [];
        Recorder first = new(service, 1, expired);
        Recorder second = new(service, 2, expired);
        Recorder never = new(service, 3, expired);
        first.Arm(3600_000 * Millisecond);
        never.Arm(5 * Millisecond);
        second.Arm(10 * Millisecond);
        never.Disarm();
        first.Arm(Millisecond);
        clock.Start();
        Assert.True(expired.TryTake(out int earliest, Patience.Limit));
        Assert.Equal(1, earliest);
        Assert.True(expired.TryTake(out int next, Patience.Limit));
        Assert.Equal(2, next);
        Assert.Empty(expired);
    }

    private sealed class Recorder(TimerService service, int number, BlockingCollection<int> expired) : KernelTimer(service)
    {
        protected internal override void OnExpired() => expired.Add(number);
    }

    /// <summary>A clock that shows 0 until it is started, so that nothing expires while a test arms its timers.</summary>
    private sealed class HeldClock : IKernelClock
    {
        private readonly Stopwatch _watch = new();

        public long MonotonicNs => _watch.Elapsed.Ticks * (1_000_000_000 / TimeSpan.TicksPerSecond);

        public long RealtimeNs => MonotonicNs;

        public long BoottimeNs => MonotonicNs;

        public void Start() => _watch.Start();
    }
}
