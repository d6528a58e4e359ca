using System.Buffers.Binary;
using System.Text;

namespace Moat.Linux;

/// <summary>One component of a path, or any other name the guest gave, as the bytes that Linux compares: no encoding is assumed.</summary>
public sealed class FileName : IEquatable<FileName>
{
    /// <summary>The longest component: NAME_MAX.</summary>
    public const int MaxLength = 255;

    // HashCode has a random seed for each process.
    private static readonly ulong s_seed = ((ulong)(uint)HashCode.Combine(1) << 32) | (uint)HashCode.Combine(2);
    private static readonly ulong s_factor = ((ulong)(uint)HashCode.Combine(3) << 32) | (uint)HashCode.Combine(4) | 1;

    private readonly byte[] _bytes;
    private readonly int _hash;

    /// <summary>Copies the bytes.</summary>
    public FileName(ReadOnlySpan<byte> bytes)
    {
        _bytes = bytes.ToArray();
        _hash = HashOf(bytes);
    }

    /// <summary>Encodes a name of our own as UTF-8.</summary>
    public FileName(string name)
        : this(Encoding.UTF8.GetBytes(name))
    {
    }

    /// <summary>The bytes.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes;

    /// <summary>How many bytes there are.</summary>
    public int Length => _bytes.Length;

    /// <inheritdoc/>
    public bool Equals(FileName? other) => other is not null && (ReferenceEquals(this, other) || other.Bytes.SequenceEqual(Bytes));

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as FileName);

    /// <inheritdoc/>
    public override int GetHashCode() => _hash;

    /// <summary>The name for a log: UTF-8, replacement characters for what is not.</summary>
    public override string ToString() => Encoding.UTF8.GetString(_bytes);

    /// <summary>The hash of a name's bytes, eight at a time, with a seed of this process: whoever chooses names cannot choose hashes.</summary>
    public static int HashOf(ReadOnlySpan<byte> bytes)
    {
        ulong hash = s_seed ^ (ulong)bytes.Length;
        while (bytes.Length >= sizeof(ulong))
        {
            hash = Fold(hash ^ BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[sizeof(ulong)..];
        }

        ulong rest = 0;
        for (int i = 0; i < bytes.Length; i++)
        {
            rest |= (ulong)bytes[i] << (8 * i);
        }

        hash = Fold(hash ^ rest);
        return (int)(hash ^ (hash >> 32));
    }

    // Multiplies by a secret factor; both halves of the product count.
    private static ulong Fold(ulong value)
    {
        ulong high = Math.BigMul(value, s_factor, out ulong low);
        return high ^ low;
    }
}
