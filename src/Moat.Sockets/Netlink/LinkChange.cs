using System.Buffers;
using System.Buffers.Binary;
using Moat.Linux;
using Moat.Netstack.Wire;
using static Moat.Sockets.Netlink.LinkAttribute;

namespace Moat.Sockets.Netlink;

/// <summary>What a request says an interface should be like: <c>struct ifinfomsg</c> and IFLA_* attributes. What it does not say is null.</summary>
internal sealed record LinkChange
{
    private const int MaxName = 15;
    private const int MaxAlias = 255;

    private static readonly SearchValues<char> s_forbidden = SearchValues.Create("/: \t\n\v\f\r");

    /// <summary>Nothing.</summary>
    public static LinkChange Nothing { get; } = new();

    /// <summary>IFLA_IFNAME; not empty.</summary>
    public string? Name { get; init; }

    /// <summary>IFLA_ADDRESS.</summary>
    public EthernetAddress? Address { get; init; }

    /// <summary>IFLA_MTU.</summary>
    public uint? Mtu { get; private init; }

    /// <summary>IFLA_MASTER: the number of a bridge, 0 for none.</summary>
    public uint? Master { get; private init; }

    /// <summary>IFLA_TXQLEN.</summary>
    public uint? QueueLength { get; private init; }

    /// <summary>IFLA_GROUP.</summary>
    public uint? Group { get; private init; }

    /// <summary>IFLA_IFALIAS.</summary>
    public string? Alias { get; private init; }

    /// <summary>IFF_*.</summary>
    public int Flags { get; private init; }

    /// <summary>Those of them that count.</summary>
    public int Mask { get; private init; }

    /// <summary>The interface's number; 0 if the request does not say.</summary>
    public int Index { get; private init; }

    /// <summary>Reads what follows a message's header.</summary>
    /// <returns>EINVAL, ERANGE.</returns>
    public static Result<LinkChange> Parse(ReadOnlySpan<byte> payload)
    {
        if (payload.Length < LinkMessage.HeaderLength)
        {
            return Errno.EINVAL;
        }

        NetlinkAttributes attributes = new(payload[LinkMessage.HeaderLength..]);
        uint? master = null;
        uint? queueLength = null;
        uint? group = null;
        Errno errno = attributes.Read(IFLA_MTU, out uint? mtu);
        errno = errno != Errno.None ? errno : attributes.Read(IFLA_MASTER, out master);
        errno = errno != Errno.None ? errno : attributes.Read(IFLA_TXQLEN, out queueLength);
        errno = errno != Errno.None ? errno : attributes.Read(IFLA_GROUP, out group);
        string? name = attributes.ReadText(IFLA_IFNAME);
        string? alias = attributes.ReadText(IFLA_IFALIAS);
        bool hasAddress = attributes.TryFind(IFLA_ADDRESS, out ReadOnlySpan<byte> address);
        if (errno != Errno.None || name?.Length > MaxName || alias?.Length > MaxAlias)
        {
            return errno != Errno.None ? errno : Errno.ERANGE;
        }

        if (hasAddress && address.Length < EthernetAddress.Length)
        {
            return Errno.EINVAL;
        }

        int flags = BinaryPrimitives.ReadInt32LittleEndian(payload[8..]);
        int mask = BinaryPrimitives.ReadInt32LittleEndian(payload[12..]);
        return new LinkChange
        {
            Name = string.IsNullOrEmpty(name) ? null : name,
            Address = hasAddress ? EthernetAddress.FromBytes(address) : null,
            Mtu = mtu,
            Master = master,
            QueueLength = queueLength,
            Group = group,
            Alias = alias,
            Flags = flags,
            Mask = flags != 0 && mask == 0 ? -1 : mask, // who sets flags without a mask means all of them
            Index = BinaryPrimitives.ReadInt32LittleEndian(payload[4..]),
        };
    }

    /// <summary>Whether an interface may be called so (dev_valid_name).</summary>
    public static bool IsValidName(string name) => name.Length is > 0 and <= MaxName && name is not ("." or "..") && name.AsSpan().IndexOfAny(s_forbidden) < 0;
}
