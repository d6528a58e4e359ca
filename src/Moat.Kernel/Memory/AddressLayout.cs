using Moat.Platform;

namespace Moat.Kernel.Memory;

/// <summary>Where things go in an address space, drawn anew at each execve(2).</summary>
/// <param name="MinAddress">The lowest address that is mapped without MAP_FIXED: vm.mmap_min_addr.</param>
/// <param name="MaxAddress">The end of what the platform offers.</param>
/// <param name="StackTop">Where the stack begins (it grows down).</param>
/// <param name="MmapTop">Below which mappings are placed.</param>
/// <param name="PieBase">Where a position-independent program is loaded.</param>
public sealed record AddressLayout(ulong MinAddress, ulong MaxAddress, ulong StackTop, ulong MmapTop, ulong PieBase)
{
    /// <summary>vm.max_map_count.</summary>
    public const int MaxMappings = 65530;

    /// <summary>No stack grows beyond this, whatever RLIMIT_STACK says.</summary>
    public const ulong MaxStack = 1UL << 30;

    private const ulong PageMask = MemoryFile.PageSize - 1;

    /// <summary>Rounds up to a page, saturating.</summary>
    public static ulong RoundUp(ulong value) => value > ulong.MaxValue - PageMask ? ulong.MaxValue & ~PageMask : (value + PageMask) & ~PageMask;

    /// <summary>Rounds down to a page.</summary>
    public static ulong RoundDown(ulong value) => value & ~PageMask;

    /// <summary>Draws a layout.</summary>
    public static AddressLayout Draw(IPlatform platform, IRandomSource random, ulong stackLimit)
    {
        Span<ulong> bits = stackalloc ulong[3];
        random.Fill(System.Runtime.InteropServices.MemoryMarshal.AsBytes(bits));
        ulong max = platform.MaxAddress.Value;
        ulong stackTop = RoundDown(max - MemoryFile.PageSize - (bits[0] % (1UL << 34)));
        ulong gap = Math.Clamp(stackLimit, 128UL << 20, MaxStack) + (2UL << 20);
        ulong mmapTop = RoundDown(stackTop - gap - (bits[1] % (1UL << 34)));
        ulong pieBase = RoundDown((max / 3 * 2) + (bits[2] % (1UL << 34)));
        return new AddressLayout(Math.Max(0x10000, platform.MinAddress.Value), max, stackTop, mmapTop, pieBase);
    }
}
