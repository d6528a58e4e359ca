namespace Moat.Linux;

/// <summary>A device number in the kernel's user-space encoding (makedev(3)).</summary>
/// <param name="Value">The encoded number, as <c>st_rdev</c> holds it.</param>
public readonly record struct DeviceNumber(ulong Value)
{
    /// <summary>Joins a major and a minor number.</summary>
    public DeviceNumber(uint major, uint minor)
        : this((minor & 0xffUL) | ((major & 0xfffUL) << 8) | ((minor & ~0xffUL) << 12) | ((major & ~0xfffUL) << 32))
    {
    }

    /// <summary>The driver.</summary>
    public uint Major => (uint)(((Value >> 8) & 0xfff) | ((Value >> 32) & ~0xfffUL));

    /// <summary>The device of that driver.</summary>
    public uint Minor => (uint)((Value & 0xff) | ((Value >> 12) & ~0xffUL));
}
