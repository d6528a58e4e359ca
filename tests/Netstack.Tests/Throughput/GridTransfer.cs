using System.Security.Cryptography;
using Moat.Netstack.Tcp;
using Moat.Netstack.Tests.Simulation;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Tests.Throughput;

/// <summary>A transfer over one path of the grid, from the side that connects or from the side that accepts.</summary>
internal static class GridTransfer
{
    /// <summary>How much is sent.</summary>
    public const int Length = 4 << 20;

    private const long Second = 1_000_000_000;
    private static readonly byte[] s_data = Bytes(Length);
    private static readonly IpAddress s_server = IpAddress.Parse("198.51.100.2");

    /// <summary>Transfers, and compares checksums.</summary>
    /// <param name="cell">The path.</param>
    /// <param name="fromClient">Who sends.</param>
    public static GridResult Run(GridCell cell, bool fromClient)
    {
        const long LimitNs = 3600 * Second; // nothing on the grid hangs: the worst cell takes minutes
        SimulatedNetwork network = new(cell.Seed + (fromClient ? 0 : 104729));
        NetworkStack left = network.AddHost();
        NetworkStack right = network.AddHost();
        SimulatedPath path = new(cell.RttUs * 500L, cell.Loss, cell.Reordering, 0, cell.BytesPerSecond) { QueueBytes = cell.QueueBytes };
        network.Connect(left, "198.51.100.1/24", right, "198.51.100.2/24", path);
        using TcpSocket listener = new(right.Tcp, isV6: false, new NoObserver());
        listener.Options.CongestionControl = cell.Congestion;
        Assert.Equal(NetError.None, listener.Bind(new IpEndpoint(s_server, 80)));
        Assert.Equal(NetError.None, listener.Listen(5));
        using TcpSocket client = new(left.Tcp, isV6: false, new NoObserver());
        client.Options.CongestionControl = cell.Congestion;
        Assert.Equal(NetError.InProgress, client.Connect(listener.Local));
        TcpSocket? accepted = null;
        Assert.True(network.RunUntil(() => client.FinishConnect() == NetError.None && (accepted is not null || listener.Accept(out accepted) == NetError.None), LimitNs), "no connection");
        using TcpSocket server = accepted!;

        (TcpSocket sender, TcpSocket receiver) = fromClient ? (client, server) : (server, client);
        int timeoutsBefore = sender.Status.Counts.Timeouts; // of the handshake
        long startNs = network.NowNs;
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = new byte[65536];
        int sent = 0;
        int received = 0;
        bool done = network.RunUntil(
            () =>
            {
                sent += (int)sender.Send(s_data.AsSpan(sent), out _);
                while (receiver.Receive(buffer, out _) is > 0 and long got)
                {
                    hash.AppendData(buffer, 0, (int)got);
                    received += (int)got;
                }

                return received >= Length;
            },
            LimitNs);
        Assert.True(done, $"{cell.Name}: {sent} sent, {received} received");
        Assert.Equal(Length, received);
        Assert.Equal(SHA256.HashData(s_data), hash.GetHashAndReset());
        TcpStatus status = sender.Status;
        return new GridResult((int)(Length * 1e6 / (network.NowNs - startNs)), (int)status.Retransmissions, status.Counts.Timeouts - timeoutsBefore);
    }

    private static byte[] Bytes(int length)
    {
        byte[] bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        return bytes;
    }
}
