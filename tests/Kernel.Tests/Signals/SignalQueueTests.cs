using Moat.Kernel.Signals;
using Moat.Linux;

namespace Moat.Kernel.Tests.Signals;

public sealed class SignalQueueTests
{
    private static readonly SignalSet s_all = ~SignalSet.Empty;

    [Fact]
    public void Add_OfAPendingStandardSignal_IsDropped()
    {
        SignalQueue queue = new();
        queue.Add(SignalInfo.FromKernel(Signal.SIGUSR1));
        queue.Add(SignalInfo.FromKernel(Signal.SIGUSR1));
        Assert.Equal(1, queue.Count);
    }

    [Fact]
    public void TryTake_OfRealTimeSignals_KeepsTheirOrder()
    {
        SignalQueue queue = new();
        Signal realTime = Signal.SIGRTMIN + 3;
        queue.Add(SignalInfo.FromSender(realTime, SignalInfo.SiQueue, 10, 0));
        queue.Add(SignalInfo.FromSender(realTime, SignalInfo.SiTkill, 11, 0));
        Assert.True(queue.TryTake(s_all, out SignalInfo first));
        Assert.Equal(SignalInfo.SiQueue, first.Code);
        Assert.True(queue.Pending.Contains(realTime));
        Assert.True(queue.TryTake(s_all, out SignalInfo second));
        Assert.Equal(SignalInfo.SiTkill, second.Code);
        Assert.True(queue.Pending.IsEmpty);
    }

    [Fact]
    public void TryTake_PrefersSynchronousSignals()
    {
        SignalQueue queue = new();
        queue.Add(SignalInfo.FromKernel(Signal.SIGHUP));
        queue.Add(SignalInfo.FromFault(Signal.SIGSEGV, 1, new GuestAddress(0x1000)));
        Assert.True(queue.TryTake(s_all, out SignalInfo info));
        Assert.Equal(Signal.SIGSEGV, info.Signal);
    }

    [Fact]
    public void TryTake_OfBlockedSignals_FindsNothing()
    {
        SignalQueue queue = new();
        queue.Add(SignalInfo.FromKernel(Signal.SIGTERM));
        Assert.False(queue.TryTake(s_all - SignalSet.Of(Signal.SIGTERM), out _));
        queue.Discard(SignalSet.Of(Signal.SIGTERM));
        Assert.False(queue.TryTake(s_all, out _));
    }
}
