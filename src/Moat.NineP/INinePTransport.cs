using Moat.Linux;

namespace Moat.NineP;

/// <summary>A reliable stream of bytes with a peer, which may carry descriptors beside the bytes. Not for several senders or receivers at once.</summary>
public interface INinePTransport
{
    /// <summary>Sends all of a message. EPIPE, ECONNRESET: the peer has gone.</summary>
    /// <param name="message">At least one byte.</param>
    /// <param name="descriptors">Duplicated by the transport; the caller keeps its own.</param>
    Errno Send(ReadOnlySpan<byte> message, ReadOnlySpan<int> descriptors);

    /// <summary>Waits for bytes: as many as there are, at most as many as fit; 0 if the peer has gone.</summary>
    /// <param name="destination">Not empty.</param>
    /// <param name="descriptors">Receives descriptors that came with them, which are the caller's then.</param>
    Result<int> Receive(Span<byte> destination, List<int> descriptors);
}
