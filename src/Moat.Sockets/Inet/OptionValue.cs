using System.Buffers.Binary;
using Moat.Linux;

namespace Moat.Sockets.Inet;

/// <summary>Reads and writes values of socket options.</summary>
internal static class OptionValue
{
    /// <summary>An int.</summary>
    /// <returns>EINVAL if it is too short.</returns>
    public static Result<int> ReadInt(ReadOnlySpan<byte> value) => value.Length >= sizeof(int) ? BinaryPrimitives.ReadInt32LittleEndian(value) : Errno.EINVAL;

    /// <summary>Writes an int, cut to the room there is.</summary>
    /// <returns>How many bytes were written.</returns>
    public static int WriteInt(int number, Span<byte> value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, number);
        return WriteBytes(bytes, value);
    }

    /// <summary>Writes bytes, cut to the room there is.</summary>
    /// <returns>How many bytes were written.</returns>
    public static int WriteBytes(ReadOnlySpan<byte> bytes, Span<byte> value)
    {
        int length = Math.Min(bytes.Length, value.Length);
        bytes[..length].CopyTo(value);
        return length;
    }
}
