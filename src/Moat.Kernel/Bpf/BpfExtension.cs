namespace Moat.Kernel.Bpf;

/// <summary>What a program can ask of a packet beside its bytes, by its distance from SKF_AD_OFF (<c>linux/filter.h</c>).</summary>
public enum BpfExtension : uint
{
    /// <summary>The EtherType, in host order.</summary>
    Protocol = 0,

    /// <summary>PACKET_HOST, PACKET_OUTGOING, ….</summary>
    PacketType = 4,

    /// <summary>The number of the interface.</summary>
    InterfaceIndex = 8,

    /// <summary>The offset of the first netlink attribute of type X from offset A on; 0 if there is none.</summary>
    NetlinkAttribute = 12,

    /// <summary>The same, inside the attribute at offset A.</summary>
    NestedAttribute = 16,

    /// <summary>The mark.</summary>
    Mark = 20,

    /// <summary>The queue of the device.</summary>
    Queue = 24,

    /// <summary>ARPHRD_*.</summary>
    HardwareType = 28,

    /// <summary>A hash of the flow.</summary>
    Hash = 32,

    /// <summary>The processor.</summary>
    Processor = 36,

    /// <summary>A exclusive-or X: an instruction in disguise.</summary>
    XorX = 40,

    /// <summary>The VLAN tag that a device has taken off.</summary>
    VlanTag = 44,

    /// <summary>Whether there is one.</summary>
    VlanTagPresent = 48,

    /// <summary>Where the payload begins.</summary>
    PayloadOffset = 52,

    /// <summary>A random number.</summary>
    Random = 56,

    /// <summary>The EtherType of the VLAN tag.</summary>
    VlanProtocol = 60,
}
