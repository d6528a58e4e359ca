namespace Moat.Netstack.Link;

/// <summary>What a link does, so that the stack need not.</summary>
[Flags]
public enum LinkFeatures
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>It has Ethernet headers, and so neighbours to resolve.</summary>
    Ethernet = 1,

    /// <summary>It completes partial transport checksums, or its packets never leave the machine.</summary>
    TransmitChecksum = 2,

    /// <summary>It takes TCP packets of up to 64 KiB and cuts them itself.</summary>
    TcpSegmentation = 4,

    /// <summary>What is sent comes back: loopback.</summary>
    Loopback = 8,

    /// <summary>What it carries stays on this machine: a checksum that is known to be right need not stand in its field.</summary>
    Internal = 16,
}
