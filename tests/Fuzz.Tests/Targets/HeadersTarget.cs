using Moat.Netstack.Wire;

namespace Moat.Fuzz.Targets;

/// <summary>Everything that reads a header, at the first byte of the input and at every one of the next few.</summary>
internal sealed class HeadersTarget : FuzzTarget
{
    private const int Starts = 64;

    /// <inheritdoc/>
    public override string Name => "headers";

    /// <inheritdoc/>
    public override IReadOnlyList<byte[]> MakeSeeds()
    {
        using FuzzedHost host = new();
        return
        [
            .. host.Frames,
            Convert.FromHexString("020405b40402080a00000001000000000103030700"),
            Convert.FromHexString("0101080a00000001000000020101051a0000000100000002000000030000000400000005000000060000000700000008"),
        ];
    }

    /// <inheritdoc/>
    public override void Run(ReadOnlySpan<byte> input)
    {
        for (int i = 0; i <= Math.Min(input.Length, Starts); i++)
        {
            ReadAll(input[i..]);
        }
    }

    private static void ReadAll(ReadOnlySpan<byte> packet)
    {
        _ = EthernetHeader.TryParse(packet, out _);
        _ = ArpPacket.TryParse(packet, out _);
        _ = Ipv4Header.TryParse(packet, out _);
        _ = Ipv6Header.TryParse(packet, out _);
        _ = Ipv6Fragment.TryParse(packet, out _);
        _ = IcmpHeader.TryParse(packet, out _);
        _ = UdpHeader.TryParse(packet, packet.Length, out _);
        _ = UdpHeader.TryParseLite(packet, packet.Length, out _, out _);
        _ = TcpHeader.TryParse(packet, out _);
        ReadOptions(packet, isSyn: true);
        ReadOptions(packet, isSyn: false);
    }

    private static void ReadOptions(ReadOnlySpan<byte> packet, bool isSyn)
    {
        TcpOptions options = TcpOptions.Parse(packet[..Math.Min(packet.Length, TcpHeader.MaxLength - TcpHeader.MinLength)], isSyn);
        for (int i = 0; i < options.SackCount; i++)
        {
            _ = options.Sack(i);
        }
    }
}
