namespace Moat.Kernel;

/// <summary>Cryptographically strong random bytes: getrandom(2) of the host, or a seeded sequence in a test. Any thread.</summary>
public interface IRandomSource
{
    /// <summary>Fills the span.</summary>
    void Fill(Span<byte> destination);
}
