using Moat.Netstack.Interfaces;
using Moat.Netstack.Sockets;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Tests.Simulation;

/// <summary>Stacks on a network that exists only here: time moves when nothing is left to do, and chance comes from a seed, so that a run can be repeated.</summary>
internal sealed class SimulatedNetwork : INetHost
{
    private const long MaxStepNs = 10_000_000; // the condition's applications act at least so often

    private readonly Random _random;
    private readonly PriorityQueue<(SimulatedLink To, byte[] Frame), (long, long)> _wire = new();
    private readonly List<NetworkStack> _stacks = [];
    private long _order;

    /// <summary>A network without hosts.</summary>
    public SimulatedNetwork(int seed) => _random = new Random(seed);

    /// <inheritdoc/>
    public long NowNs { get; private set; } = 1_000_000_000;

    /// <inheritdoc/>
    public void Fill(Span<byte> random) => _random.NextBytes(random);

    /// <inheritdoc/>
    public void WakeAt(long deadlineNs)
    {
    }

    /// <summary>A host with loopback.</summary>
    /// <param name="memory">What its sockets may hold; the usual if null.</param>
    public NetworkStack AddHost(SocketMemory? memory = null)
    {
        NetworkStack stack = new(this, memory);
        Assert.Equal(NetError.None, stack.AddInterface("lo", new Link.LoopbackLink(), out NetworkInterface? loopback));
        Assert.Equal(NetError.None, stack.AddAddress(loopback!, new InterfaceAddress(IpAddress.LoopbackV4, 8, null)));
        Assert.Equal(NetError.None, stack.AddAddress(loopback!, new InterfaceAddress(IpAddress.LoopbackV6, 128, null)));
        stack.SetUp(loopback!, true);
        _stacks.Add(stack);
        return stack;
    }

    /// <summary>Joins two hosts by a wire.</summary>
    public (SimulatedLink Left, SimulatedLink Right) Connect(NetworkStack left, string leftAddress, NetworkStack right, string rightAddress, SimulatedPath path)
    {
        SimulatedLink first = new(this, path, new EthernetAddress(0x0200_0000_0001 + (ulong)(2 * _stacks.Count)), _random.Next());
        SimulatedLink second = new(this, path, new EthernetAddress(0x0200_0000_0002 + (ulong)(2 * _stacks.Count)), _random.Next());
        first.Peer = second;
        second.Peer = first;
        Attach(left, first, leftAddress);
        Attach(right, second, rightAddress);
        return (first, second);
    }

    /// <summary>Puts a frame on its way.</summary>
    public void Send(SimulatedLink to, byte[] frame, long delayNs) => _wire.Enqueue((to, frame), (NowNs + delayNs, _order++));

    /// <summary>Lets things happen until a condition holds, or time is up.</summary>
    /// <returns>Whether it holds.</returns>
    public bool RunUntil(Func<bool> condition, long limitNs) => Run(condition, limitNs, MaxStepNs);

    /// <summary>Lets time pass, for hosts whose applications do nothing.</summary>
    public void Pass(long forNs) => _ = Run(static () => false, forNs, long.MaxValue / 2);

    private static void Attach(NetworkStack stack, SimulatedLink link, string address)
    {
        string[] parts = address.Split('/');
        Assert.Equal(NetError.None, stack.AddInterface($"eth{stack.Interfaces.Count - 1}", link, out NetworkInterface? added));
        Assert.Equal(NetError.None, stack.AddAddress(added!, new InterfaceAddress(IpAddress.Parse(parts[0]), int.Parse(parts[1]), null)));
        link.Pool = stack.Pool;
        stack.SetUp(added!, true);
    }

    private bool Run(Func<bool> condition, long limitNs, long maxStepNs)
    {
        long end = NowNs + limitNs;
        while (true)
        {
            long next = long.MaxValue;
            foreach (NetworkStack stack in _stacks)
            {
                next = Math.Min(next, stack.RunTimers());
            }

            if (condition())
            {
                return true;
            }

            if (_wire.TryPeek(out _, out (long At, long Order) first))
            {
                next = Math.Min(next, first.At);
            }

            next = Math.Min(next, NowNs + maxStepNs);
            if (next > end)
            {
                NowNs = end;
                return condition();
            }

            NowNs = Math.Max(NowNs, next);
            while (_wire.TryPeek(out (SimulatedLink To, byte[] Frame) item, out first) && first.At <= NowNs)
            {
                _ = _wire.Dequeue();
                item.To.Deliver(item.Frame);
                foreach (NetworkStack stack in _stacks)
                {
                    stack.Flush();
                }
            }
        }
    }
}
