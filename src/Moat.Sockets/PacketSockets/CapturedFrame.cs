namespace Moat.Sockets.PacketSockets;

/// <summary>A frame that a packet socket has seen.</summary>
/// <param name="Frame">Its bytes, with the link-layer header if the socket wants it; from the pool of arrays.</param>
/// <param name="Length">How many there are: as many as the socket's filter wants.</param>
/// <param name="FullLength">How many the frame has.</param>
/// <param name="Address">Where it was seen.</param>
/// <param name="RealtimeNs">When.</param>
internal readonly record struct CapturedFrame(byte[] Frame, int Length, int FullLength, PacketAddress Address, long RealtimeNs)
{
    /// <summary>Bytes that it counts beside its own.</summary>
    public const int Overhead = 256;
}
