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
}
