using System.Buffers.Binary;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Autoconfiguration;

/// <summary>A router advertisement (RFC 4861 section 4.2), of which every option has a length that fits.</summary>
internal readonly ref struct RouterAdvertisement
{
    private const int FixedLength = 16;
    private const byte PrefixOption = 3;
    private const byte MtuOption = 5;
    private readonly ReadOnlySpan<byte> _options;

    private RouterAdvertisement(ReadOnlySpan<byte> message)
    {
        HopLimit = message[4];
        LifetimeSeconds = BinaryPrimitives.ReadUInt16BigEndian(message[6..]);
        _options = message[FixedLength..];
    }

    /// <summary>The hop limit to send with; 0 if the router does not say.</summary>
    public byte HopLimit { get; }

    /// <summary>How long the router is one for every destination; 0 if it is none.</summary>
    public ushort LifetimeSeconds { get; }

    /// <summary>What packets on the link may be as large as; 0 if the router does not say.</summary>
    public uint Mtu
    {
        get
        {
            uint mtu = 0;
            for (ReadOnlySpan<byte> rest = _options; !rest.IsEmpty; rest = rest[LengthOf(rest)..])
            {
                mtu = rest[0] == MtuOption && LengthOf(rest) == 8 ? BinaryPrimitives.ReadUInt32BigEndian(rest[4..]) : mtu;
            }

            return mtu;
        }
    }

    /// <summary>Reads a message of ICMPv6; false if it is too short or an option's length is zero or too much (RFC 4861 section 6.1.2).</summary>
    public static bool TryParse(ReadOnlySpan<byte> message, out RouterAdvertisement advertisement)
    {
        advertisement = default;
        if (message.Length < FixedLength)
        {
            return false;
        }

        ReadOnlySpan<byte> rest = message[FixedLength..];
        while (!rest.IsEmpty)
        {
            if (rest.Length < 8 || rest[1] == 0 || LengthOf(rest) > rest.Length)
            {
                return false;
            }

            rest = rest[LengthOf(rest)..];
        }

        advertisement = new RouterAdvertisement(message);
        return true;
    }

    /// <summary>The next prefix.</summary>
    /// <param name="position">Where to look on, in bytes; 0 at first.</param>
    /// <param name="prefix">The prefix.</param>
    /// <returns>False if there are no more.</returns>
    public bool TryReadPrefix(ref int position, out PrefixInformation prefix)
    {
        prefix = default;
        while (position < _options.Length)
        {
            ReadOnlySpan<byte> option = _options.Slice(position, LengthOf(_options[position..]));
            position += option.Length;
            if (option[0] == PrefixOption && PrefixInformation.TryParse(option, out prefix))
            {
                return true;
            }
        }

        return false;
    }

    private static int LengthOf(ReadOnlySpan<byte> option) => option[1] * 8;
}
