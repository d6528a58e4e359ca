using Moat.Kernel.Tasks;

namespace Moat.Sockets.Netlink;

/// <summary>A message that a guest sent to the kernel, and who sent it.</summary>
/// <param name="header">Its header.</param>
/// <param name="payload">What follows.</param>
internal readonly ref struct NetlinkRequest(NetlinkHeader header, ReadOnlySpan<byte> payload)
{
    /// <summary>Its header.</summary>
    public NetlinkHeader Header { get; } = header;

    /// <summary>What follows the header.</summary>
    public ReadOnlySpan<byte> Payload { get; } = payload;

    /// <summary>All of it, the header included, for protocols that tell where in it something is wrong.</summary>
    public ReadOnlySpan<byte> Message { get; init; }

    /// <summary>Who sent it, whose descriptors it may name; null for nobody.</summary>
    public GuestTask? Task { get; init; }

    /// <summary>The socket it came through; null if no answer to it but the direct one has to be kept from the sender.</summary>
    public NetlinkSocket? Sender { get; init; }

    /// <summary>Whether the header and attributes of a dump request choose what is told (NETLINK_GET_STRICT_CHK).</summary>
    public bool IsStrict { get; init; }

    /// <summary>Whether the sender has CAP_NET_ADMIN.</summary>
    public bool IsAdmin { get; init; }

    /// <summary>Whether it has any of these flags.</summary>
    public bool HasAny(NetlinkFlags flags) => (Header.Flags & flags) != 0;

    /// <summary>The attributes behind a fixed part.</summary>
    public NetlinkAttributes AttributesAfter(int length) => new(Payload.Length > length ? Payload[NetlinkHeader.Align(length)..] : default);
}
