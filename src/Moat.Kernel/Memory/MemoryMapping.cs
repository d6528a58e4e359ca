using Moat.Kernel.Vfs;
using Moat.Platform;

namespace Moat.Kernel.Memory;

/// <summary>One mapping (a line of /proc/PID/maps). Guarded by the <see cref="MemoryManager"/>'s lock.</summary>
public sealed class MemoryMapping
{
    internal ulong Start;
    internal ulong End;

    /// <summary>PROT_*.</summary>
    internal MemoryAccess Access;

    /// <summary>What mprotect(2) may turn it into.</summary>
    internal MemoryAccess MaxAccess = MemoryAccess.Read | MemoryAccess.Write | MemoryAccess.Execute;

    /// <summary>MAP_SHARED.</summary>
    internal bool IsShared;

    /// <summary>Whether the file can be written through it, now or after mprotect(2).</summary>
    internal bool IsSharedWritable => IsShared && (MaxAccess & MemoryAccess.Write) != 0;

    /// <summary>Whether it is a small private part of a file that may be written, as a program's data are: who reads it writes to it soon.</summary>
    internal bool IsDataSegment =>
        !IsShared && (Access & MemoryAccess.Write) != 0 && Length <= PrivatePages.ChunkPages * MemoryFile.PageSize && File is { CanShowAhead: true };

    /// <summary>MAP_GROWSDOWN: the stack.</summary>
    internal bool GrowsDown;

    /// <summary>MADV_DONTFORK.</summary>
    public bool DontFork { get; set; }

    /// <summary>MADV_WIPEONFORK.</summary>
    public bool WipeOnFork { get; set; }

    /// <summary>mlock(2).</summary>
    public bool IsLocked { get; set; }

    /// <summary>What is mapped; null for private anonymous memory.</summary>
    internal IMappable? File;

    /// <summary>The file's byte at <see cref="Start"/>.</summary>
    internal ulong FileOffset;

    /// <summary>The open file, of which the mapping holds a reference; null for anonymous memory.</summary>
    internal FileDescription? Description;

    /// <summary>A name such as <c>[heap]</c>.</summary>
    internal string? Name;

    /// <summary>The page that is touched next if the application goes through anonymous memory from below, and the pages that came with the last touch.</summary>
    internal ulong NextTouch;

    /// <inheritdoc cref="NextTouch"/>
    internal ulong TouchedPages = PrivatePages.ChunkPages;

    /// <summary>Bytes.</summary>
    internal ulong Length => End - Start;

    /// <summary>A copy for another range of the same thing; the references are the caller's to take.</summary>
    internal MemoryMapping CopyFor(ulong start, ulong end)
    {
        MemoryMapping copy = (MemoryMapping)MemberwiseClone();
        copy.FileOffset = FileOffset + (start - Start);
        copy.Start = start;
        copy.End = end;
        return copy;
    }

    /// <summary>Whether <paramref name="next"/>, which begins where this ends, can be made one with it.</summary>
    internal bool CanJoin(MemoryMapping next) =>
        End == next.Start && Access == next.Access && MaxAccess == next.MaxAccess && IsShared == next.IsShared && GrowsDown == next.GrowsDown && DontFork == next.DontFork
        && WipeOnFork == next.WipeOnFork && IsLocked == next.IsLocked && File == next.File && Name == next.Name && (File is null || FileOffset + Length == next.FileOffset)
        && Description == next.Description;
}
