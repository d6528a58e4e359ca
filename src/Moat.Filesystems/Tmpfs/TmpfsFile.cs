using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.Tmpfs;

/// <summary>A regular tmpfs file. Its pages go when its last name and its last open description have gone.</summary>
internal sealed class TmpfsFile(TmpfsFilesystem filesystem, Mode mode, in NewOwner owner, uint links) : TmpfsInode(filesystem, mode, owner, links)
{
    private int _openCount;
    private int _isNameless = links == 0 ? 1 : 0; // counted as an inode, but no removal of a name will take that back

    /// <summary>Whether link(2) may give it a name although it has none: an O_TMPFILE file without O_EXCL.</summary>
    public bool IsLinkable { get; init; }

    /// <summary>The content.</summary>
    public MemoryPages Pages { get; } = new(filesystem.Kernel.MemoryFile, filesystem.Pages);

    /// <summary>A file of a mounted tmpfs: it takes no seals (memfd_create(2)).</summary>
    public static TmpfsFile MakeUnsealable(TmpfsFilesystem filesystem, Mode mode, in NewOwner owner, uint links, bool isLinkable = false)
    {
        TmpfsFile file = new(filesystem, mode, owner, links) { IsLinkable = isLinkable };
        file.Pages.AddSeals(FileSeals.Seal);
        return file;
    }

    protected override long Size => Pages.Size;

    protected override long AllocatedBytes => Pages.AllocatedBytes;

    public override Result<FileDescription> Open(GuestTask task, PathLocation location, OpenFlags flags)
    {
        Interlocked.Increment(ref _openCount);
        return new TmpfsFileDescription(this, flags, location);
    }

    /// <summary>It gets a name: from now on the removal of the last one counts.</summary>
    internal void OnLinked() => Interlocked.Exchange(ref _isNameless, 0);

    /// <summary>A description was closed.</summary>
    internal void OnClose()
    {
        if (Interlocked.Decrement(ref _openCount) == 0)
        {
            DropIfUnused();
        }
    }

    /// <summary>Frees the pages if nothing leads to the file any more.</summary>
    internal void DropIfUnused()
    {
        if (Volatile.Read(ref _openCount) == 0 && ChangeLinks(0) == 0)
        {
            Pages.Clear();
            if (Interlocked.Exchange(ref _isNameless, 0) == 1)
            {
                Tmpfs.RemoveInode();
            }
        }
    }

    protected override Errno Resize(long size) => Pages.Resize(size);

    protected override bool KeepsExecuteBits => (Pages.Seals & FileSeals.Exec) != 0;
}
