using System.Buffers.Binary;
using Moat.Linux;

namespace Moat.Kernel.Credentials;

/// <summary>The capabilities of an executable file: the extended attribute <c>security.capability</c> (capabilities(7), <c>struct vfs_cap_data</c>).</summary>
/// <param name="Permitted">What the program gets, as far as the bounding set allows.</param>
/// <param name="Inheritable">What it keeps of the caller's inheritable set.</param>
/// <param name="IsEffective">Whether all of it is effective from the start.</param>
public readonly record struct FileCapabilities(CapabilitySet Permitted, CapabilitySet Inheritable, bool IsEffective)
{
    private const uint RevisionMask = 0xff000000;
    private const uint EffectiveFlag = 1;

    /// <summary>The attribute's name.</summary>
    public static FileName AttributeName { get; } = new("security.capability");

    /// <summary>Reads the attribute's value.</summary>
    /// <returns>EINVAL for what is none.</returns>
    public static Result<FileCapabilities> Parse(ReadOnlySpan<byte> value)
    {
        if (value.Length < sizeof(uint))
        {
            return Errno.EINVAL;
        }

        uint magic = BinaryPrimitives.ReadUInt32LittleEndian(value);
        int words = ((magic & RevisionMask) >> 24, value.Length) switch { (1, 12) => 1, (2, 20) => 2, (3, 24) => 2, _ => 0 };
        if (words == 0 || (magic & ~RevisionMask & ~EffectiveFlag) != 0)
        {
            return Errno.EINVAL;
        }

        ulong permitted = 0;
        ulong inheritable = 0;
        for (int i = 0; i < words; i++)
        {
            permitted |= (ulong)BinaryPrimitives.ReadUInt32LittleEndian(value[(4 + (i * 8))..]) << (32 * i);
            inheritable |= (ulong)BinaryPrimitives.ReadUInt32LittleEndian(value[(8 + (i * 8))..]) << (32 * i);
        }

        return new FileCapabilities(new CapabilitySet(permitted) & CapabilitySet.Full, new CapabilitySet(inheritable) & CapabilitySet.Full, (magic & EffectiveFlag) != 0);
    }
}
