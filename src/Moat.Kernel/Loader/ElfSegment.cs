using Moat.Platform;

namespace Moat.Kernel.Loader;

/// <summary>A PT_LOAD segment.</summary>
internal sealed record ElfSegment(ulong Address, ulong MemorySize, ulong Offset, ulong FileSize, MemoryAccess Access);
