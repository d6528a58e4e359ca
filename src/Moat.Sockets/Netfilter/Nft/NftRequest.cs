using Moat.Sockets.Netlink;

namespace Moat.Sockets.Netfilter.Nft;

/// <summary>A message to nf_tables.</summary>
/// <param name="message">All of it; the caller has checked that there are both headers.</param>
internal readonly ref struct NftRequest(ReadOnlySpan<byte> message)
{
    private const int AttributeHeader = 4;

    private readonly ReadOnlySpan<byte> _message = message;

    /// <summary>Its header.</summary>
    public NetlinkHeader Header { get; } = NetlinkHeader.Read(message);

    /// <summary>What it asks for.</summary>
    public NftMessage Type => (NftMessage)(Header.Type & 0xff);

    /// <summary>The family of rules.</summary>
    public NetfilterFamily Family => (NetfilterFamily)_message[NetlinkHeader.Length];

    /// <summary>Its attributes.</summary>
    public AttributeReader Attributes => new(_message[(NetlinkHeader.Length + NetfilterWriting.HeaderLength)..]);

    /// <summary>Whether it has any of these flags.</summary>
    public bool Has(NetlinkFlags flags) => (Header.Flags & flags) != 0;

    /// <summary>Where the attribute with this value begins in the message, for whoever wants to show what was wrong; 0 if it is not there.</summary>
    public int OffsetOf(ReadOnlySpan<byte> value) => !value.IsEmpty && _message.Overlaps(value, out int offset) ? offset - AttributeHeader : 0;
}
