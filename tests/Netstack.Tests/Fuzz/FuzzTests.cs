using System.Globalization;
using System.Text;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Tests.Fuzz;

/// <summary>Hostile input. <c>make test</c> tries the same inputs each time; <c>make fuzz FUZZ_SECONDS=…</c> tries others for so long. What fails is printed, to become a test of its own.</summary>
public sealed class FuzzTests
{
    private const int UsualCount = 20_000;
    private const long MaxHeldBytes = 8 << 20;

    private static readonly int s_seconds = int.Parse(Environment.GetEnvironmentVariable("FUZZ_SECONDS") ?? "0", CultureInfo.InvariantCulture);

    [Fact]
    public void Frames_LeaveTheHostAlive()
    {
        const int PerHost = 2000;
        FuzzedHost host = new();
        int count = 0;
        Run(
            host.Frames,
            (frame, mutator) =>
            {
                if (++count % PerHost == 0)
                {
                    host.Settle(200_000_000_000);
                    Assert.InRange(host.Stack.Memory.HeldBytes, 0, MaxHeldBytes);
                    host.Dispose();
                    host = new FuzzedHost();
                }

                if (mutator.Below(8) != 0)
                {
                    FrameChecksums.Write(frame);
                }

                host.Link.Deliver(frame);
                if (count % 16 == 0)
                {
                    host.Settle(mutator.Below(300_000_000));
                }
            });
        host.Dispose();
    }

    [Fact]
    public void TcpOptions_AreReadOrPassedOver()
    {
        byte[][] seeds = [Convert.FromHexString("020405b40402080a00000001000000000103030700"), Convert.FromHexString("0101080a00000001000000020101051a0000000100000002000000030000000400000005000000060000000700000008")];
        Run(seeds, static (bytes, mutator) =>
        {
            TcpOptions options = TcpOptions.Parse(bytes.AsSpan(0, Math.Min(bytes.Length, 40)), isSyn: mutator.Below(2) == 0);
            for (int i = 0; i < options.SackCount; i++)
            {
                _ = options.Sack(i);
            }
        });
    }

    [Fact]
    public void Headers_AreReadOrRefused()
    {
        using FuzzedHost host = new();
        Run(host.Frames, static (bytes, mutator) =>
        {
            ReadOnlySpan<byte> packet = bytes;
            packet = packet[mutator.Below(packet.Length + 1)..];
            _ = EthernetHeader.TryParse(packet, out _);
            _ = ArpPacket.TryParse(packet, out _);
            _ = Ipv4Header.TryParse(packet, out _);
            _ = Ipv6Header.TryParse(packet, out _);
            _ = Ipv6Fragment.TryParse(packet, out _);
            _ = IcmpHeader.TryParse(packet, out _);
            _ = UdpHeader.TryParse(packet, packet.Length, out _);
            _ = UdpHeader.TryParseLite(packet, packet.Length, out _, out _);
            _ = TcpHeader.TryParse(packet, out _);
        });
    }

    private static void Run(IReadOnlyList<byte[]> seeds, Action<byte[], Mutator> target)
    {
        int seed = s_seconds > 0 ? Environment.TickCount : 1;
        Mutator mutator = new(seed);
        long end = Environment.TickCount64 + (1000L * s_seconds);
        for (int i = 0; s_seconds > 0 ? Environment.TickCount64 < end : i < UsualCount; i++)
        {
            byte[] input = mutator.Next(seeds);
            string hex = Convert.ToHexString(input);
            try
            {
                target(input, mutator);
            }
            catch (Exception error)
            {
                throw new InvalidOperationException(new StringBuilder().Append(CultureInfo.InvariantCulture, $"input {i} of seed {seed}: {hex}").ToString(), error);
            }
        }
    }
}
