using System.Buffers.Binary;
using Moat.Linux;
using Moat.Sockets;

namespace Moat.Sentry.Network;

/// <summary>Control messages of the internet protocols (cmsg(3)), as the guest's and as the host has them. They hold numbers and addresses of the network, no descriptors.</summary>
internal static class PassthroughControl
{
    /// <summary>Room for all messages that a guest may send at once.</summary>
    public const int MaxLength = 512;

    private const int HeaderLength = 16; // struct cmsghdr
    private const int IPPROTO_IP = 0;
    private const int IPPROTO_UDP = 17;
    private const int IPPROTO_IPV6 = 41;

    /// <summary>Writes what is sent beside the bytes for the host.</summary>
    /// <param name="ancillary">From the guest.</param>
    /// <param name="buffer">Receives it; <see cref="MaxLength"/> bytes.</param>
    /// <returns>How many bytes; EINVAL for a message that is not known or too many of them.</returns>
    public static Result<int> Encode(AncillaryData? ancillary, Span<byte> buffer)
    {
        int length = 0;
        if (ancillary?.Messages is not { } messages)
        {
            return length;
        }

        foreach (ControlMessage message in messages)
        {
            if (message.Level is not (IPPROTO_IP or IPPROTO_IPV6 or IPPROTO_UDP))
            {
                continue; // as Linux passes over levels that are not the protocol's
            }

            int size = HeaderLength + message.Data.Length;
            if (!IsKnown(message.Level, message.Type) || size > buffer.Length - length)
            {
                return Errno.EINVAL;
            }

            Span<byte> place = buffer[length..];
            BinaryPrimitives.WriteInt64LittleEndian(place, size);
            BinaryPrimitives.WriteInt32LittleEndian(place[8..], message.Level);
            BinaryPrimitives.WriteInt32LittleEndian(place[12..], message.Type);
            message.Data.CopyTo(place[HeaderLength..]);
            length = Math.Min(length + Align(size), buffer.Length);
        }

        return length;
    }

    /// <summary>Reads what came beside the bytes from the host.</summary>
    public static AncillaryData? Decode(ReadOnlySpan<byte> control)
    {
        AncillaryData? data = null;
        while (control.Length >= HeaderLength)
        {
            long length = BinaryPrimitives.ReadInt64LittleEndian(control);
            if (length < HeaderLength || length > control.Length)
            {
                break;
            }

            data ??= new AncillaryData();
            data.Add(BinaryPrimitives.ReadInt32LittleEndian(control[8..]), BinaryPrimitives.ReadInt32LittleEndian(control[12..]), control[HeaderLength..(int)length].ToArray());
            control = control[Math.Min(control.Length, Align((int)length))..];
        }

        return data;
    }

    private static int Align(int length) => (length + 7) & ~7;

    // TOS, TTL and packet info; packet info, hop limit and class; UDP_SEGMENT.
    private static bool IsKnown(int level, int type) => level switch
    {
        IPPROTO_IP => type is 1 or 2 or 8,
        IPPROTO_IPV6 => type is 50 or 52 or 67,
        _ => type == 103,
    };
}
