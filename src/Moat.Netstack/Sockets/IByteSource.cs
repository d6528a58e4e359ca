namespace Moat.Netstack.Sockets;

/// <summary>Memory of the caller that is sent from. Called with no lock that a packet needs.</summary>
public interface IByteSource
{
    /// <summary>Bytes that remain.</summary>
    long Length { get; }

    /// <summary>Copies the next bytes and moves on.</summary>
    /// <returns>How many: fewer than asked for only if the caller's memory cannot be read.</returns>
    int CopyTo(Span<byte> destination);
}
