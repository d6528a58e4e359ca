using System.Buffers.Binary;
using Moat.Netstack.Wire;

namespace Moat.Fuzz.Targets;

/// <summary>Fragments of both versions that overlap, repeat, lack, or end twice. A part of the script is one: which packet, at which offset, whether more follow, its bytes.</summary>
internal sealed class FragmentsTarget : FuzzTarget
{
    private const int Ethernet = FuzzedHost.Ethernet;
    private const int Head = 4;
    private const byte IsV6 = 1;
    private const int MaxOffset = 0xfff8;

    /// <inheritdoc/>
    public override string Name => "fragments";

    /// <inheritdoc/>
    public override IReadOnlyList<byte[]> MakeSeeds()
    {
        byte[] datagram = new byte[64]; // to port 53, without a checksum
        Convert.FromHexString("c350003500400000").CopyTo(datagram, 0);
        List<byte[]> seeds = [];
        foreach (byte version in (byte[])[0, IsV6])
        {
            byte[] First(bool more) => [1, more ? (byte)1 : (byte)0, 0, 0, .. datagram[..32]];
            byte[] Second(bool more, byte offset) => [1, more ? (byte)1 : (byte)0, offset, 0, .. datagram[32..]];
            seeds.Add(Script.Of([(version, First(true)), (version, Second(false, 32))]));
            seeds.Add(Script.Of([(version, Second(false, 32)), (version, First(true))]));
            seeds.Add(Script.Of([(version, First(true)), (version, Second(true, 24)), (version, Second(false, 64))]));
            seeds.Add(Script.Of([(version, First(false)), ((byte)(version | 0xf0), First(true))]));
        }

        return seeds;
    }

    /// <inheritdoc/>
    public override void Run(ReadOnlySpan<byte> input)
    {
        using FuzzedHost host = new();
        Script script = new(input);
        while (script.TryNext(out byte operation, out ReadOnlySpan<byte> bytes))
        {
            if (bytes.Length >= Head)
            {
                host.Link.Deliver((operation & IsV6) != 0 ? FrameV6(host, bytes) : FrameV4(host, bytes));
            }

            HostScript.Wait(host, operation);
        }

        host.CheckMemory();
    }

    private static byte[] FrameV4(FuzzedHost host, ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<byte> payload = bytes[Head..];
        byte[] frame = host.NewFrame(EtherType.Ipv4, Ipv4Header.MinLength + payload.Length);
        new Ipv4Header
        {
            HeaderLength = Ipv4Header.MinLength,
            TotalLength = Ipv4Header.MinLength + payload.Length,
            Identification = bytes[0],
            MoreFragments = (bytes[1] & 1) != 0,
            FragmentOffset = OffsetOf(bytes),
            TimeToLive = 64,
            Protocol = (bytes[1] & 2) != 0 ? IpProtocol.Tcp : IpProtocol.Udp,
            Source = FuzzedHost.PeerV4,
            Destination = FuzzedHost.AddressV4,
        }.Write(frame.AsSpan(Ethernet));
        payload.CopyTo(frame.AsSpan(Ethernet + Ipv4Header.MinLength));
        return frame;
    }

    private static byte[] FrameV6(FuzzedHost host, ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<byte> payload = bytes[Head..];
        byte[] frame = host.NewFrame(EtherType.Ipv6, Ipv6Header.Length + Ipv6Fragment.Length + payload.Length);
        new Ipv6Header
        {
            PayloadLength = Ipv6Fragment.Length + payload.Length,
            NextHeader = IpProtocol.Fragment,
            HopLimit = 64,
            Source = FuzzedHost.PeerV6,
            Destination = FuzzedHost.AddressV6,
        }.Write(frame.AsSpan(Ethernet));
        Span<byte> header = frame.AsSpan(Ethernet + Ipv6Header.Length);
        IpProtocol next = (bytes[1] & 2) != 0 ? IpProtocol.Tcp : (bytes[1] & 4) != 0 ? IpProtocol.DestinationOptions : IpProtocol.Udp;
        new Ipv6Fragment(next, OffsetOf(bytes), (bytes[1] & 1) != 0, bytes[0]).Write(header);
        payload.CopyTo(header[Ipv6Fragment.Length..]);
        return frame;
    }

    private static int OffsetOf(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[2..]) & MaxOffset;
}
