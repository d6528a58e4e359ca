using Moat.Platform;

namespace Moat.Kernel.Memory;

/// <summary>Where some pages of a mappable file live.</summary>
/// <param name="File">The memory file or a host file.</param>
/// <param name="Offset">Where in it the first page is.</param>
/// <param name="Length">How many bytes are contiguous there: a multiple of the page size, at least one page.</param>
/// <param name="Access">What a direct mapping of them may permit (a host file opened for reading: no Write).</param>
public readonly record struct MappablePages(IMappableFile File, ulong Offset, ulong Length, MemoryAccess Access);
