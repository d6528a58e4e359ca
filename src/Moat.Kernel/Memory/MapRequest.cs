using Moat.Kernel.Vfs;
using Moat.Platform;

namespace Moat.Kernel.Memory;

/// <summary>A new mapping. Address and length are multiples of the page size inside the application's range, the length is not zero.</summary>
public readonly record struct MapRequest()
{
    /// <summary>Where, or a hint, or 0.</summary>
    public ulong Address { get; init; }

    public ulong Length { get; init; }
    public MemoryAccess Access { get; init; }
    public MemoryAccess MaxAccess { get; init; } = MemoryAccess.Read | MemoryAccess.Write | MemoryAccess.Execute;
    public bool IsShared { get; init; }

    /// <summary>MAP_FIXED, with or without replacing.</summary>
    public bool IsFixed { get; init; }

    /// <summary>MAP_FIXED_NOREPLACE.</summary>
    public bool NoReplace { get; init; }

    /// <summary>MAP_32BIT.</summary>
    public bool Below4GiB { get; init; }

    public bool GrowsDown { get; init; }
    public bool Populate { get; init; }

    /// <summary>Part of a program or library, whose parts are all mapped before any of them is touched: what execve(2) maps, and MAP_DENYWRITE, which only dynamic linkers still give.</summary>
    public bool IsProgramPart { get; init; }

    /// <summary>What is mapped; null for private anonymous memory.</summary>
    public IMappable? File { get; init; }

    public ulong FileOffset { get; init; }

    /// <summary>The open file; the mapping takes a reference of its own.</summary>
    public FileDescription? Description { get; init; }

    public string? Name { get; init; }

    /// <summary>RLIMIT_AS.</summary>
    public ulong AddressSpaceLimit { get; init; } = ulong.MaxValue;
}
