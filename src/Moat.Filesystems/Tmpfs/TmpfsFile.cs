using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.Tmpfs;

/// <summary>A regular tmpfs file. Its pages go when its last name and its last open description have gone.</summary>
internal sealed class TmpfsFile(TmpfsFilesystem filesystem, Mode mode, in NewOwner owner, uint links) : TmpfsInode(filesystem, mode, owner, links)
{
    private int _openCount;

    /// <summary>The content.</summary>
    public MemoryPages Pages { get; } = new(filesystem.Kernel.MemoryFile);

    protected override long Size => Pages.Size;

    protected override long AllocatedBytes => Pages.AllocatedBytes;

    public override Result<FileDescription> Open(GuestTask task, PathLocation location, OpenFlags flags)
    {
        Interlocked.Increment(ref _openCount);
        return new TmpfsFileDescription(this, flags, location);
    }

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
        }
    }

    protected override Errno Resize(long size)
    {
        Pages.SetSize(size);
        return Errno.None;
    }
}
