using Moat.Host;
using Moat.Kernel.Memory;
using Moat.Linux;
using Moat.Platform;

namespace Moat.Filesystems.GoferClient;

/// <summary>Some pages of files that nobody changes, for small reads: what programs read in bits, and constants in programs that the kernel looks at (paths), each a host call otherwise.
/// A page stands where its number leads to and goes when another one wants the place. Any thread, without a lock.</summary>
internal sealed class GoferPageCache
{
    /// <summary>Larger reads go to the host's file, straight into application memory.</summary>
    public const int MaxRead = 1024;

    private const int PageSize = MemoryFile.PageSize;
    private const int Places = 256;

    private readonly Page?[] _pages = new Page?[Places];

    /// <summary>Whether a read is one that the cache answers: small, and within a page.</summary>
    public static bool Answers(long offset, long length) => length <= MaxRead && (offset % PageSize) + length <= PageSize;

    /// <summary>The bytes of a file from an offset to the end of its page, or of the file.</summary>
    /// <param name="inode">The file.</param>
    /// <param name="fd">Its descriptor.</param>
    /// <param name="offset">Where.</param>
    public Result<ReadOnlyMemory<byte>> Read(GoferInode inode, int fd, long offset)
    {
        long index = offset / PageSize;
        ref Page? place = ref _pages[(uint)HashCode.Combine(inode.Number, index) % Places];
        Page? page = Volatile.Read(ref place);
        if (page is null || page.Inode != inode || page.Index != index)
        {
            byte[] bytes = new byte[PageSize];
            SyscallResult read = HostFile.ReadAt(fd, bytes, index * PageSize);
            if (read.IsError)
            {
                return read.Errno;
            }

            page = new Page(inode, index, bytes.AsMemory(0, (int)read.Raw));
            Volatile.Write(ref place, page);
        }

        int skip = (int)(offset % PageSize);
        return skip < page.Bytes.Length ? page.Bytes[skip..] : ReadOnlyMemory<byte>.Empty;
    }

    private sealed record Page(GoferInode Inode, long Index, ReadOnlyMemory<byte> Bytes);
}
