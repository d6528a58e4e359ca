using Moat.Linux;
using Moat.Platform;

namespace Moat.Kernel.Memory;

/// <summary>Pages that mmap(2) can map: a file's, shared memory's.</summary>
public interface IMappable
{
    /// <summary>Says where pages live, creating them if need be (a hole of a tmpfs file, read for writing).</summary>
    /// <param name="offset">Byte offset in the file, a multiple of the page size.</param>
    /// <param name="length">How much is wanted; the answer may cover less (at least one page) but never starts later.</param>
    /// <param name="access">Read and Execute for a private mapping's clean pages; Write when the pages will be written in place.</param>
    /// <returns>EFAULT (SIGBUS for the toucher) beyond the end of the file, ENOMEM/ENOSPC (SIGBUS) when there is no memory.</returns>
    Result<MappablePages> Translate(ulong offset, ulong length, MemoryAccess access);

    /// <summary>Whether <see cref="Translate"/> for reading changes nothing, so that pages can be shown before they are touched.</summary>
    bool CanShowAhead => false;

    /// <summary>Reads file bytes for a copy-on-write or a CopyIn, where <see cref="MappablePages.File"/> is no <see cref="MemoryFile"/>; short at the end of file.</summary>
    Result<int> ReadAt(ulong offset, Span<byte> destination);

    /// <summary>Writes bytes through a shared mapping of a host file (CopyOut).</summary>
    Result<int> WriteAt(ulong offset, ReadOnlySpan<byte> source);

    /// <summary>Asked before a shared mapping is made: what it may ever permit (a sealed memfd: no Write). Where the answer has Write, no seal that forbids writing comes until <see cref="EndShare"/>.</summary>
    MemoryAccess BeginShare() => MemoryAccess.Read | MemoryAccess.Write | MemoryAccess.Execute;

    /// <summary>Ends a <see cref="BeginShare"/> of which the answer had Write; the mapping, if it was made, counts by itself.</summary>
    void EndShare()
    {
    }

    /// <summary>A mapping of the file exists from now on: the file calls <see cref="MemoryManager.InvalidateFilePages"/> on it when pages go away (truncate, hole punch).</summary>
    /// <param name="memory">Where.</param>
    /// <param name="isWritable">Whether it is shared and may be written through, now or after mprotect(2).</param>
    void AddMapping(MemoryManager memory, bool isWritable);

    /// <summary>Ends one <see cref="AddMapping"/>.</summary>
    void RemoveMapping(MemoryManager memory, bool isWritable);
}
