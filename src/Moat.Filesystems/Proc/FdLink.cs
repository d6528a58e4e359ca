using System.Text;
using Moat.Filesystems.Synthetic;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.Proc;

/// <summary>/proc/PID/fd/N: leads to the open file's place.</summary>
internal sealed class FdLink(ProcFilesystem proc, GuestTask owner, int fd, Mode access) : SyntheticInode(proc, Mode.S_IFLNK | access)
{
    /// <inheritdoc/>
    protected override NewOwner Owner => ProcFilesystem.OwnerOf(owner);

    /// <summary>The owner's permission bits tell how the file was opened; none for O_PATH.</summary>
    public override Errno GetAttributes(out InodeAttributes attributes)
    {
        const Mode Read = (Mode)0x100;
        const Mode Write = (Mode)0x80;
        const Mode Execute = (Mode)0x40;
        Errno errno = base.GetAttributes(out attributes);
        if (errno == Errno.None && owner.Files.Get(fd).TryGet(out FileDescription? file, out _))
        {
            Mode missing = (file.CanRead ? 0 : Read) | (file.CanWrite ? 0 : Write) | (file.CanRead || file.CanWrite ? 0 : Execute);
            file.Release();
            attributes = attributes with { Mode = attributes.Mode & ~missing };
        }

        return errno;
    }

    /// <inheritdoc/>
    public override Result<byte[]> ReadSymlink(GuestTask? reader)
    {
        if (!owner.Files.Get(fd).TryGet(out FileDescription? file, out _))
        {
            return Errno.ENOENT;
        }

        try
        {
            return file.Location is { } location && reader is not null ? PathPrinter.Print(reader.Fs.Root, location, out _) : Encoding.UTF8.GetBytes(file.AnonymousName);
        }
        finally
        {
            file.Release();
        }
    }

    /// <inheritdoc/>
    public override Result<PathLocation>? FollowMagicLink(GuestTask reader)
    {
        if (!owner.Files.Get(fd).TryGet(out FileDescription? file, out _))
        {
            return Errno.ENOENT;
        }

        try
        {
            if (file.Location is { } location)
            {
                return location;
            }

            // A pipe or a stream of the host has no place: it gets one for this look-up, so that it can be opened again.
            Dentry dentry = new(null, new FileName(file.AnonymousName), file.Inode);
            return new PathLocation(new Mount(file.Inode.Filesystem, dentry), dentry);
        }
        finally
        {
            file.Release();
        }
    }
}
