using System.Text;

namespace Moat.Linux;

/// <summary>One component of a path, or any other name the guest gave, as the bytes that Linux compares: no encoding is assumed.</summary>
public sealed class FileName : IEquatable<FileName>
{
    /// <summary>The longest component: NAME_MAX.</summary>
    public const int MaxLength = 255;

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

    internal static int HashOf(ReadOnlySpan<byte> bytes)
    {
        HashCode hash = default;
        hash.AddBytes(bytes);
        return hash.ToHashCode();
    }
}
