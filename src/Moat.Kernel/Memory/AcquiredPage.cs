namespace Moat.Kernel.Memory;

/// <summary>What stands behind one page of guest memory.</summary>
/// <param name="Page">A page of the memory file, with a reference for the holder, if <paramref name="File"/> is null.</param>
/// <param name="File">Otherwise the host file whose own page is shown.</param>
/// <param name="FileOffset">Where in that file the page begins.</param>
internal readonly record struct AcquiredPage(int Page, IMappable? File, ulong FileOffset);
