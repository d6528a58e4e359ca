using Moat.Linux;
using Moat.Runtime.Exec;

namespace Moat.Runtime.Tests.Exec;

/// <summary>Signals that come while a process is being started reach it.</summary>
public sealed class PendingSignalsTests
{
    private readonly List<(int Pid, Signal Signal)> _sent = [];

    [Fact]
    public void SignalsBeforeTheStart_AreSentAfterIt_InTheirOrder()
    {
        PendingSignals signals = new((pid, signal) => _sent.Add((pid, signal)));
        Assert.True(signals.Take(Signal.SIGWINCH));
        Assert.True(signals.Take(Signal.SIGINT));
        Assert.Empty(_sent);
        signals.Release(5);
        Assert.True(signals.Take(Signal.SIGTERM));
        Assert.True(signals.Take(Signal.SIGTERM));
        Assert.Equal([(5, Signal.SIGWINCH), (5, Signal.SIGINT), (5, Signal.SIGTERM), (5, Signal.SIGTERM)], _sent);
    }

    [Fact]
    public void SignalThatWaitsAlready_IsLeftToItsCaller()
    {
        PendingSignals signals = new((pid, signal) => _sent.Add((pid, signal)));
        Assert.True(signals.Take(Signal.SIGINT));
        Assert.False(signals.Take(Signal.SIGINT));
        signals.Release(5);
        Assert.Equal([(5, Signal.SIGINT)], _sent);
    }
}
