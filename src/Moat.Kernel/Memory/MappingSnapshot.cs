using Moat.Kernel.Vfs;
using Moat.Platform;

namespace Moat.Kernel.Memory;

/// <summary>A mapping as /proc/PID/maps and smaps show it.</summary>
public sealed record MappingSnapshot(ulong Start, ulong End, MemoryAccess Access, bool IsShared, ulong FileOffset, FileDescription? Description, string? Name, ulong ResidentBytes);
