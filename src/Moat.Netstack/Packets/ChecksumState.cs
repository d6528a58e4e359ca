namespace Moat.Netstack.Packets;

/// <summary>What is known of a packet's transport checksum.</summary>
public enum ChecksumState : byte
{
    /// <summary>Nothing: the receiver verifies it.</summary>
    None,

    /// <summary>The data has not left the machine, or a device has verified it: it need not be looked at. The field may hold anything.</summary>
    Verified,

    /// <summary>On the way out: the field holds the pseudo-header's sum, the link or the device completes it.</summary>
    Partial,
}
