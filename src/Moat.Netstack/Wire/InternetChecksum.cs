using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Moat.Netstack.Wire;

/// <summary>The ones' complement sum of IP, UDP, TCP and ICMP (RFC 1071), taken over several pieces. Every piece but the last has an even length.</summary>
public struct InternetChecksum
{
    private ulong _sum;

    /// <summary>Starts with the pseudo-header of UDP, TCP and ICMPv6 (RFC 9293 section 3.1, RFC 8200 section 8.1).</summary>
    public static InternetChecksum OfPseudoHeader(IpAddress source, IpAddress destination, IpProtocol protocol, int length)
    {
        Span<byte> bytes = stackalloc byte[40];
        int size = source.Length;
        source.WriteTo(bytes);
        destination.WriteTo(bytes[size..]);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[(2 * size)..], (uint)length);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[((2 * size) + 4)..], (uint)protocol);
        InternetChecksum checksum = default;
        checksum.Add(bytes[..((2 * size) + 8)]);
        return checksum;
    }

    /// <summary>The checksum of one piece.</summary>
    public static ushort Of(ReadOnlySpan<byte> bytes)
    {
        InternetChecksum checksum = default;
        checksum.Add(bytes);
        return checksum.Value;
    }

    /// <summary>Adds a piece.</summary>
    public void Add(ReadOnlySpan<byte> bytes)
    {
        ulong sum = _sum;
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(bytes);
        if (words.Length >= 2 * Vector<ulong>.Count)
        {
            // Halves are added apart, so that no carry is lost.
            Vector<ulong> low = new(uint.MaxValue);
            Vector<ulong> total = Vector<ulong>.Zero;
            int i = 0;
            for (; i <= words.Length - Vector<ulong>.Count; i += Vector<ulong>.Count)
            {
                Vector<ulong> word = new(words[i..]);
                total += (word & low) + Vector.ShiftRightLogical(word, 32);
            }

            sum = AddWithCarry(sum, Vector.Sum(total));
            words = words[i..];
            bytes = bytes[(i * sizeof(ulong))..];
        }

        foreach (ulong word in words)
        {
            sum = AddWithCarry(sum, word);
        }

        bytes = bytes[(words.Length * sizeof(ulong))..];
        ulong rest = 0;
        for (int i = 0; i < bytes.Length; i++)
        {
            rest |= (ulong)bytes[i] << (8 * i);
        }

        _sum = AddWithCarry(sum, rest);
    }

    /// <summary>The field's value in host order: 0 when the summed bytes, with the field they hold, are right.</summary>
    public readonly ushort Value
    {
        get
        {
            ulong sum = (_sum & uint.MaxValue) + (_sum >> 32);
            sum = (sum & uint.MaxValue) + (sum >> 32);
            sum = (sum & ushort.MaxValue) + (sum >> 16);
            sum = (sum & ushort.MaxValue) + (sum >> 16);
            ushort folded = (ushort)~sum;
            return BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(folded) : folded;
        }
    }

    private static ulong AddWithCarry(ulong sum, ulong word)
    {
        sum += word;
        return sum + (sum < word ? 1UL : 0);
    }
}
