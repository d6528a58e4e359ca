namespace Moat.Platform;

/// <summary>A part of a file that may be mapped at an address.</summary>
/// <param name="Start">The first address.</param>
/// <param name="End">Behind the last one.</param>
/// <param name="File">The file.</param>
/// <param name="FileOffset">What of it is at the first address.</param>
/// <param name="Access">How it may be used.</param>
/// <param name="Precommit">Whether to populate the host's page tables with it.</param>
internal readonly record struct Offered(ulong Start, ulong End, IMappableFile File, ulong FileOffset, MemoryAccess Access, bool Precommit);
