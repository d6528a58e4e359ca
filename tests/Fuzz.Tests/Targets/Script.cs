using System.Buffers.Binary;

namespace Moat.Fuzz.Targets;

/// <summary>An input that is several: each a byte that says what is done with it, its length, its bytes. Any bytes are a script.</summary>
internal ref struct Script(ReadOnlySpan<byte> input)
{
    private const int Header = 3;

    private ReadOnlySpan<byte> _rest = input;

    /// <summary>Takes the next; the last may be shorter than it says.</summary>
    public bool TryNext(out byte operation, out ReadOnlySpan<byte> bytes)
    {
        operation = 0;
        bytes = default;
        if (_rest.Length < Header)
        {
            return false;
        }

        operation = _rest[0];
        int length = Math.Min(BinaryPrimitives.ReadUInt16LittleEndian(_rest[1..]), _rest.Length - Header);
        bytes = _rest.Slice(Header, length);
        _rest = _rest[(Header + length)..];
        return true;
    }

    /// <summary>Writes one.</summary>
    public static byte[] Of(IEnumerable<(byte Operation, byte[] Bytes)> parts)
    {
        List<byte> script = [];
        foreach ((byte operation, byte[] bytes) in parts)
        {
            script.AddRange([operation, (byte)bytes.Length, (byte)(bytes.Length >> 8), .. bytes]);
        }

        return [.. script];
    }
}
