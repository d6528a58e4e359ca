namespace Moat.Linux;

/// <summary>Lets a dictionary keyed by <see cref="FileName"/> be searched with the bytes of a path, without making a key.</summary>
public sealed class FileNameComparer : IEqualityComparer<FileName>, IAlternateEqualityComparer<ReadOnlySpan<byte>, FileName>
{
    /// <summary>The one instance.</summary>
    public static readonly FileNameComparer Instance = new();

    private FileNameComparer()
    {
    }

    /// <inheritdoc/>
    public bool Equals(FileName? x, FileName? y) => x is null ? y is null : x.Equals(y);

    /// <inheritdoc/>
    public int GetHashCode(FileName obj) => obj.GetHashCode();

    /// <inheritdoc/>
    public bool Equals(ReadOnlySpan<byte> alternate, FileName other) => other.Bytes.SequenceEqual(alternate);

    /// <inheritdoc/>
    public int GetHashCode(ReadOnlySpan<byte> alternate) => FileName.HashOf(alternate);

    /// <inheritdoc/>
    public FileName Create(ReadOnlySpan<byte> alternate) => new(alternate);
}
