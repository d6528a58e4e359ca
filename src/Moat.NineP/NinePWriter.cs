using System.Buffers.Binary;
using System.Text;
using Moat.Linux;

namespace Moat.NineP;

/// <summary>Builds one message: size[4] type[1] tag[2], then what is added. Little-endian. The buffer is used again for the next one.</summary>
/// <param name="capacity">The largest message.</param>
public sealed class NinePWriter(int capacity)
{
    /// <summary>Bytes before a message's own.</summary>
    public const int HeaderSize = 7;

    private readonly byte[] _buffer = new byte[capacity];
    private int _length;

    /// <summary>How many bytes can still be added.</summary>
    public int Room => _buffer.Length - _length;

    /// <summary>How many bytes there are, header included.</summary>
    public int Length => _length;

    /// <summary>Starts a message.</summary>
    public void Begin(byte type, ushort tag)
    {
        _length = HeaderSize;
        _buffer[4] = type;
        BinaryPrimitives.WriteUInt16LittleEndian(_buffer.AsSpan(5), tag);
    }

    /// <summary>Ends it.</summary>
    /// <returns>The message, valid until the next <see cref="Begin"/>.</returns>
    public ReadOnlySpan<byte> End()
    {
        BinaryPrimitives.WriteInt32LittleEndian(_buffer, _length);
        return _buffer.AsSpan(0, _length);
    }

    public void Byte(byte value) => Take(1)[0] = value;

    public void UInt16(ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(Take(2), value);

    public void UInt32(uint value) => BinaryPrimitives.WriteUInt32LittleEndian(Take(4), value);

    public void UInt64(ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(Take(8), value);

    public void Time(Timespec value)
    {
        UInt64((ulong)value.Seconds);
        UInt64((ulong)value.Nanoseconds);
    }

    public void Qid(Qid value)
    {
        Byte(value.Type);
        UInt32(value.Version);
        UInt64(value.Path);
    }

    /// <summary>A length in two bytes and as many bytes.</summary>
    public void String(ReadOnlySpan<byte> value)
    {
        UInt16(checked((ushort)value.Length));
        value.CopyTo(Take(value.Length));
    }

    /// <summary>As above, in UTF-8.</summary>
    public void String(string value) => String(Encoding.UTF8.GetBytes(value));

    /// <summary>Bytes without a length.</summary>
    public void Bytes(ReadOnlySpan<byte> value) => value.CopyTo(Take(value.Length));

    /// <summary>Room for bytes that the caller fills in.</summary>
    public Span<byte> Take(int count)
    {
        Span<byte> taken = _buffer.AsSpan(_length, count);
        _length += count;
        return taken;
    }

    /// <summary>Gives back the last bytes of a <see cref="Take"/>.</summary>
    public void GiveBack(int count) => _length -= count;

    /// <summary>Writes a count into two bytes that were taken at a position before.</summary>
    internal void PatchUInt16(int position, ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(_buffer.AsSpan(position), value);

    /// <summary>Writes a count into four bytes that were taken at a position before.</summary>
    internal void PatchUInt32(int position, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(_buffer.AsSpan(position), value);

    /// <summary>Writes a byte that was taken at a position before.</summary>
    internal void PatchByte(int position, byte value) => _buffer[position] = value;

    /// <summary>Writes a value into eight bytes that were taken at a position before.</summary>
    internal void PatchUInt64(int position, ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(_buffer.AsSpan(position), value);
}
