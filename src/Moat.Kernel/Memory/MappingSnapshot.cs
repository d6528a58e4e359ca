using Moat.Kernel.Vfs;
using Moat.Platform;

namespace Moat.Kernel.Memory;

/// <summary>A mapping as /proc/PID/maps and smaps show it.</summary>
public sealed record MappingSnapshot
{
    public required ulong Start { get; init; }
    public required ulong End { get; init; }
    public required MemoryAccess Access { get; init; }
    public required MemoryAccess MaxAccess { get; init; }
    public required bool IsShared { get; init; }
    public required bool IsLocked { get; init; }
    public required bool GrowsDown { get; init; }
    public required bool DontFork { get; init; }
    public required bool WipeOnFork { get; init; }

    /// <summary>Whether what is mapped lives in memory: tmpfs, memfds, shared anonymous memory.</summary>
    public required bool IsInMemory { get; init; }

    public required ulong FileOffset { get; init; }
    public required FileDescription? Description { get; init; }
    public required string? Name { get; init; }

    /// <summary>Bytes of private pages.</summary>
    public required ulong PrivateBytes { get; init; }

    /// <summary>Bytes of those that no other address space shares.</summary>
    public required ulong SoleBytes { get; init; }

    /// <summary>Bytes of the file's own pages that have been touched.</summary>
    public required ulong FileBytes { get; init; }

    /// <summary>Takes a snapshot. Under the lock of the <see cref="MemoryManager"/>.</summary>
    internal static MappingSnapshot Of(MemoryMapping mapping, PageTable pages, ShownFilePages shown, MemoryFile memoryFile)
    {
        const int PageSize = MemoryFile.PageSize;
        ulong resident = 0;
        ulong sole = 0;
        pages.ForEach(mapping.Start / PageSize, mapping.End / PageSize, (_, page) =>
        {
            resident += PageSize;
            sole += memoryFile.IsSole(page) ? PageSize : 0UL;
        });
        return new MappingSnapshot
        {
            Start = mapping.Start,
            End = mapping.End,
            Access = mapping.Access,
            MaxAccess = mapping.MaxAccess,
            IsShared = mapping.IsShared,
            IsLocked = mapping.IsLocked,
            GrowsDown = mapping.GrowsDown,
            DontFork = mapping.DontFork,
            WipeOnFork = mapping.WipeOnFork,
            IsInMemory = mapping.File is MemoryPages,
            FileOffset = mapping.FileOffset,
            Description = mapping.Description,
            Name = mapping.Name,
            PrivateBytes = resident,
            SoleBytes = sole,
            FileBytes = mapping.File is null ? 0 : (ulong)shown.CountIn(mapping.Start / PageSize, mapping.End / PageSize) * PageSize,
        };
    }
}
