namespace Moat.Netstack.Sockets;

/// <summary>Memory of the caller that is received into. Called with no lock that a packet needs.</summary>
public interface IByteSink
{
    /// <summary>Bytes that there is room for.</summary>
    long Length { get; }

    /// <summary>Copies bytes in and moves on.</summary>
    /// <returns>How many: fewer than given only if the caller's memory cannot be written or is full.</returns>
    int CopyFrom(ReadOnlySpan<byte> source);
}
