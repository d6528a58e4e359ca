using System.Buffers.Binary;
using Moat.Linux;

namespace Moat.NineP;

/// <summary>Takes a message apart. A field beyond the end reads as zero and sets <see cref="IsMalformed"/>, which is to be asked once all fields are read.</summary>
public ref struct NinePReader(ReadOnlySpan<byte> message)
{
    private ReadOnlySpan<byte> _rest = message;

    /// <summary>Whether the message was shorter than its fields.</summary>
    public bool IsMalformed { get; private set; }

    /// <summary>Bytes not read yet.</summary>
    public readonly int Remaining => _rest.Length;

    public byte Byte()
    {
        ReadOnlySpan<byte> bytes = Bytes(1);
        return bytes.IsEmpty ? (byte)0 : bytes[0];
    }

    public ushort UInt16()
    {
        ReadOnlySpan<byte> bytes = Bytes(2);
        return bytes.IsEmpty ? (ushort)0 : BinaryPrimitives.ReadUInt16LittleEndian(bytes);
    }

    public uint UInt32()
    {
        ReadOnlySpan<byte> bytes = Bytes(4);
        return bytes.IsEmpty ? 0 : BinaryPrimitives.ReadUInt32LittleEndian(bytes);
    }

    public ulong UInt64()
    {
        ReadOnlySpan<byte> bytes = Bytes(8);
        return bytes.IsEmpty ? 0 : BinaryPrimitives.ReadUInt64LittleEndian(bytes);
    }

    public Timespec Time() => new((long)UInt64(), (long)UInt64());

    public Qid Qid() => new(Byte(), UInt32(), UInt64());

    /// <summary>A length in two bytes and as many bytes.</summary>
    public ReadOnlySpan<byte> String() => Bytes(UInt16());

    /// <summary>So many bytes; none if there are fewer.</summary>
    public ReadOnlySpan<byte> Bytes(int count)
    {
        if (count < 0 || count > _rest.Length)
        {
            IsMalformed = true;
            _rest = default;
            return default;
        }

        ReadOnlySpan<byte> taken = _rest[..count];
        _rest = _rest[count..];
        return taken;
    }
}
