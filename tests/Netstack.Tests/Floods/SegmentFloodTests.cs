using Moat.Netstack.Sockets;
using Moat.Netstack.Tcp;
using Moat.Netstack.Tests.Simulation;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Tests.Floods;

/// <summary>Segments with a byte each for sockets that nobody reads: what they cost counts, not what they carry.</summary>
public sealed class SegmentFloodTests
{
    private const int Connections = 20;
    private const long MaxPerConnection = 4 * TcpLimits.DefaultReceiveBuffer;

    [Theory]
    [InlineData(1)] // one behind the other
    [InlineData(2)] // with a hole before each
    public void TinySegments_ThatNobodyReads_AreBounded(int distance)
    {
        using Attack attack = new();
        attack.Pair.Listener.Listen(Connections);
        List<ForgedConnection> forged = [];
        List<TcpSocket> accepted = [];
        for (int i = 0; i < Connections; i++)
        {
            forged.Add(ForgedConnection.Open(attack, new IpEndpoint(IpAddress.FromV4(0xc612_0000u + (uint)i), 5000), 80)!);
            Assert.Equal(NetError.None, attack.Pair.Listener.Accept(out TcpSocket? socket));
            accepted.Add(socket!);
        }

        attack.Run(i => forged[i % Connections].Send(TcpFlags.ACK, distance * (1 + (i / Connections)), 1), strikes: 60_000, perStep: 500);
        Assert.InRange(attack.MostHeld, 1, (Connections + 2) * MaxPerConnection);
        accepted.ForEach(static socket => socket.Dispose());
        attack.Pair.Wait(200_000);
        Assert.InRange(attack.Stack.Memory.HeldBytes, 0, 1 << 20);
    }
}
