using System.Buffers.Binary;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Tests.Autoconfiguration;

/// <summary>Frames of a router and of other hosts, written here byte by byte: what the stack reads is not written by itself.</summary>
internal static class RouterFrames
{
    /// <summary>The router's address.</summary>
    public const string Router = "fe80::1";

    private const int HeadersLength = 54; // Ethernet and IPv6

    /// <summary>A router advertisement.</summary>
    /// <param name="lifetimeSeconds">Of the router.</param>
    /// <param name="hops">The hop limit that it advertises.</param>
    /// <param name="options">Its options, one after the other.</param>
    public static byte[] Advertisement(ushort lifetimeSeconds, byte hops, params byte[][] options)
    {
        byte[] message = [134, 0, 0, 0, hops, 0, (byte)(lifetimeSeconds >> 8), (byte)lifetimeSeconds, 0, 0, 0, 0, 0, 0, 0, 0, .. options.SelectMany(static option => option)];
        return Frame(message, Router, "ff02::1");
    }

    /// <summary>A prefix that is on the link and for making addresses.</summary>
    public static byte[] Prefix(string prefix, int length, uint validSeconds, uint preferredSeconds, byte flags = 0xc0)
    {
        byte[] option = new byte[32];
        (option[0], option[1], option[2], option[3]) = (3, 4, (byte)length, flags);
        BinaryPrimitives.WriteUInt32BigEndian(option.AsSpan(4), validSeconds);
        BinaryPrimitives.WriteUInt32BigEndian(option.AsSpan(8), preferredSeconds);
        IpAddress.Parse(prefix).WriteV6To(option.AsSpan(16));
        return option;
    }

    /// <summary>The MTU of the link.</summary>
    public static byte[] Mtu(ushort mtu) => [5, 1, 0, 0, 0, 0, (byte)(mtu >> 8), (byte)mtu];

    /// <summary>Somebody else asks whether an address is free.</summary>
    public static byte[] Probe(IpAddress target)
    {
        byte[] message = [135, 0, 0, 0, 0, 0, 0, 0, .. Bytes(target)];
        return Frame(message, "::", Neighbors.NeighborDiscovery.SolicitedNodeGroup(target).ToString());
    }

    /// <summary>Somebody else says that an address is his.</summary>
    public static byte[] Claim(IpAddress target)
    {
        byte[] message = [136, 0, 0, 0, 0x20, 0, 0, 0, .. Bytes(target), 2, 1, 2, 0, 0, 0, 0, 0x99];
        return Frame(message, target.ToString(), "ff02::1");
    }

    /// <summary>A message of ICMPv6 in a frame.</summary>
    public static byte[] Frame(byte[] message, string source, string destination, byte hops = 255)
    {
        byte[] frame = new byte[HeadersLength + message.Length];
        IpAddress to = IpAddress.Parse(destination);
        EthernetAddress.ForMulticast(to).WriteTo(frame);
        ((ReadOnlySpan<byte>)[2, 0, 0, 0, 0, 0x99, 0x86, 0xdd, 0x60]).CopyTo(frame.AsSpan(6));
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(18), (ushort)message.Length);
        (frame[20], frame[21]) = (58, hops);
        IpAddress.Parse(source).WriteV6To(frame.AsSpan(22));
        to.WriteV6To(frame.AsSpan(38));
        message.CopyTo(frame, HeadersLength);
        byte[] summed = [.. frame[22..HeadersLength], 0, 0, (byte)(message.Length >> 8), (byte)message.Length, 0, 0, 0, 58, .. message];
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(HeadersLength + 2), Checksum(summed));
        return frame;
    }

    /// <summary>The checksum of bytes in whose place for it there are zeroes (RFC 1071).</summary>
    public static ushort Checksum(ReadOnlySpan<byte> bytes)
    {
        uint sum = 0;
        for (int i = 0; i < bytes.Length; i++)
        {
            sum += (uint)bytes[i] << (i % 2 == 0 ? 8 : 0);
        }

        sum = (sum & 0xffff) + (sum >> 16);
        return (ushort)~(sum + (sum >> 16));
    }

    private static byte[] Bytes(IpAddress address)
    {
        byte[] bytes = new byte[16];
        address.WriteV6To(bytes);
        return bytes;
    }
}
