namespace Moat.Kernel.Memory;

/// <summary>What stands behind a page of guest memory, and behind those after it as far as they are neighbours in the memory file too.</summary>
/// <param name="Page">A page of the memory file, if <paramref name="File"/> is null.</param>
/// <param name="Count">How many pages from that one on; each is pinned for the holder. 1 for a file's page.</param>
/// <param name="File">Otherwise the host file whose own page is shown.</param>
/// <param name="FileOffset">Where in that file the page begins.</param>
internal readonly record struct AcquiredPage(int Page, int Count, IMappable? File, ulong FileOffset);
