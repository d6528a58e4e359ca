using System.Buffers.Binary;
using Moat.Sockets.Netlink;

namespace Moat.Fuzz.Targets;

/// <summary>What programs rely on in what netlink tells them.</summary>
internal static class NetlinkAnswers
{
    /// <summary>The port that answers go to.</summary>
    public const uint Port = 7;

    /// <summary>The number of the request.</summary>
    public const uint Sequence = 9;

    /// <summary>Fails unless datagrams are whole messages for that request.</summary>
    public static void Check(List<byte[]> datagrams)
    {
        foreach (byte[] datagram in datagrams)
        {
            ReadOnlySpan<byte> rest = datagram;
            while (!rest.IsEmpty)
            {
                NetlinkHeader header = NetlinkHeader.Read(rest);
                Assert.InRange(header.MessageLength, (uint)NetlinkHeader.Length, (uint)rest.Length);
                Assert.Equal((Sequence, Port), (header.Sequence, header.Port));
                rest = rest[NetlinkHeader.Align((int)header.MessageLength)..];
            }
        }
    }

    /// <summary>A message with attributes behind a fixed part.</summary>
    public static byte[] Message(ushort type, NetlinkFlags flags, byte[] header, Action<NetlinkWriter> write)
    {
        NetlinkWriter writer = new(Port, Sequence);
        writer.Begin(type, flags, header);
        write(writer);
        writer.End();
        return writer.Finish()[0];
    }

    /// <summary>Reads the messages of a datagram as the kernel does, up to one that claims more than there is.</summary>
    public static bool TryNext(ref ReadOnlySpan<byte> datagram, out NetlinkHeader header, out ReadOnlySpan<byte> message)
    {
        header = default;
        message = default;
        if (datagram.Length < NetlinkHeader.Length)
        {
            return false;
        }

        header = NetlinkHeader.Read(datagram) with { Port = Port, Sequence = Sequence };
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(datagram);
        if (length < NetlinkHeader.Length || length > datagram.Length)
        {
            return false;
        }

        message = datagram[..(int)length];
        datagram = datagram[Math.Min(NetlinkHeader.Align((int)length), datagram.Length)..];
        return true;
    }
}
