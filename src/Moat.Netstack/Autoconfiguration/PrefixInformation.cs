using System.Buffers.Binary;
using Moat.Netstack.Wire;

namespace Moat.Netstack.Autoconfiguration;

/// <summary>A prefix in a router advertisement (RFC 4861 section 4.6.2). Judges nothing.</summary>
/// <param name="Prefix">The prefix as it stands; bits behind it mean nothing.</param>
/// <param name="Length">Its bits.</param>
/// <param name="IsOnLink">L: whoever has an address of it is on this link.</param>
/// <param name="IsAutonomous">A: hosts may make addresses of it.</param>
/// <param name="ValidSeconds">How long it counts; all ones for ever.</param>
/// <param name="PreferredSeconds">How long its addresses are used for new things.</param>
internal readonly record struct PrefixInformation(IpAddress Prefix, int Length, bool IsOnLink, bool IsAutonomous, uint ValidSeconds, uint PreferredSeconds)
{
    private const int OptionLength = 32;

    /// <summary>Reads the option; false if it is not as long as it must be.</summary>
    public static bool TryParse(ReadOnlySpan<byte> option, out PrefixInformation information)
    {
        information = default;
        if (option.Length != OptionLength)
        {
            return false;
        }

        information = new PrefixInformation(
            IpAddress.FromBytes(option[16..]),
            option[2],
            (option[3] & 0x80) != 0,
            (option[3] & 0x40) != 0,
            BinaryPrimitives.ReadUInt32BigEndian(option[4..]),
            BinaryPrimitives.ReadUInt32BigEndian(option[8..]));
        return true;
    }
}
