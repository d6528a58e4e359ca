using Moat.Linux;

namespace Moat.Kernel.Vfs;

/// <summary>Where a directory's entries go: getdents64(2)'s buffer, or a list of the Sentry's own (overlay).</summary>
public interface IDirectorySink
{
    /// <summary>Takes one entry.</summary>
    /// <param name="name">The name.</param>
    /// <param name="inode">Its inode number.</param>
    /// <param name="type">The file type bits of its mode.</param>
    /// <param name="nextOffset">The directory offset that continues behind this entry (<c>d_off</c>).</param>
    /// <returns>False if it does not fit: the entry is not taken and the offset stays before it.</returns>
    bool TryAdd(ReadOnlySpan<byte> name, ulong inode, Mode type, long nextOffset);
}
