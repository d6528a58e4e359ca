using CsCheck;
using Moat.Netstack.Sockets;
using Moat.Netstack.Tcp;
using Moat.Netstack.Tests.Simulation;
using Moat.Netstack.Timers;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Tests;

/// <summary>Timers expire once, at or after their time, unless they were cleared; what has ended is held by none.</summary>
public sealed class TimerQueueTests
{
    private const int Timers = 12;

    [Fact]
    public void Timers_ExpireOnceTheyAreDue_UnlessClearedOrRemoved() =>
        Gen.Select(Gen.Int[0, Timers - 1], Gen.Int[0, 4], Gen.Long[1, 50]).List[1, 200].Sample(steps =>
        {
            SimulatedNetwork network = new(1);
            TimerQueue queue = new(network);
            List<int> expired = [];
            Probe[] probes = [.. Enumerable.Range(0, Timers).Select(index => new Probe(index, expired))];
            long?[] deadlines = new long?[Timers];
            long now = 0;
            foreach ((int index, int action, long time) in steps)
            {
                switch (action)
                {
                    case 0 or 1:
                        queue.Set(probes[index], now + time);
                        deadlines[index] = now + time;
                        break;
                    case 2:
                        queue.Clear(probes[index]);
                        deadlines[index] = null;
                        break;
                    case 3:
                        queue.Remove(probes[index]);
                        deadlines[index] = null;
                        break;
                    default:
                        now += time;
                        expired.Clear();
                        long next = queue.Run(now);
                        int[] due = [.. Enumerable.Range(0, Timers).Where(i => deadlines[i] <= now)];
                        Assert.Equal(due.Order(), expired.Order());
                        due.ToList().ForEach(i => deadlines[i] = null);
                        Assert.True(next <= (deadlines.Min() ?? long.MaxValue));
                        break;
                }
            }
        });

    [Fact]
    public void Remove_TakesATimerOutAtOnce()
    {
        SimulatedNetwork network = new(1);
        TimerQueue queue = new(network);
        Probe probe = new(0, []);
        queue.Set(probe, 1000);
        queue.Clear(probe);
        Assert.Equal(1, queue.Count);
        queue.Remove(probe);
        Assert.Equal(0, queue.Count);
    }

    [Fact]
    public void ConnectionThatWasReset_LeavesNoTimerBehind_HoweverFarItWasSet()
    {
        SimulatedNetwork network = new(1);
        NetworkStack stack = network.AddHost();
        using TcpSocket listener = new(stack.Tcp, isV6: false, new NoObserver());
        Assert.Equal(NetError.None, listener.Bind(new IpEndpoint(IpAddress.LoopbackV4, 80)));
        Assert.Equal(NetError.None, listener.Listen(5));
        int before = stack.Timers.Count;
        TcpSocket client = new(stack.Tcp, isV6: false, new NoObserver());
        client.Options.KeepAlive = true;
        Assert.Equal(NetError.InProgress, client.Connect(listener.Local));
        Assert.Equal(NetError.None, client.FinishConnect());
        Assert.Equal(NetError.None, listener.Accept(out TcpSocket? server));
        Assert.True(stack.Timers.Count > before, "the keep-alive timer is set");
        Assert.Equal(1, client.Send([1], out _));
        server!.Dispose(); // with data unread: a reset
        client.Dispose();
        Assert.Equal(before, stack.Timers.Count);
    }

    private sealed class Probe(int index, List<int> expired) : NetTimer
    {
        protected internal override void OnExpired(long nowNs) => expired.Add(index);
    }
}
