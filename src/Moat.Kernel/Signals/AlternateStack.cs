namespace Moat.Kernel.Signals;

/// <summary>sigaltstack(2).</summary>
/// <param name="Base">The lowest address.</param>
/// <param name="Flags">SS_DISABLE, SS_AUTODISARM.</param>
/// <param name="Size">Bytes.</param>
public readonly record struct AlternateStack(ulong Base, uint Flags, ulong Size)
{
    public const uint OnStack = 1;
    public const uint Disable = 2;
    public const uint AutoDisarm = 1u << 31;

    /// <summary>MINSIGSTKSZ of x86-64.</summary>
    public const ulong MinSize = 2048;

    /// <summary>No alternate stack.</summary>
    public static readonly AlternateStack None = new(0, Disable, 0);

    /// <summary>Whether a stack pointer is on it.</summary>
    public bool Contains(ulong stackPointer) => (Flags & Disable) == 0 && stackPointer > Base && stackPointer - Base <= Size;
}
