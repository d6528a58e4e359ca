namespace Moat.Sockets;

/// <summary>What a receive tells beside the bytes.</summary>
public struct ReceivedMessage
{
    /// <summary>The sender's address as a <c>sockaddr</c>; null if there is none to tell.</summary>
    public byte[]? Address { get; set; }

    /// <summary>MSG_TRUNC and the like.</summary>
    public MessageFlags Flags { get; set; }

    /// <summary>Files and credentials that came with it; the receiver consumes or releases them.</summary>
    public AncillaryData? Ancillary { get; set; }
}
