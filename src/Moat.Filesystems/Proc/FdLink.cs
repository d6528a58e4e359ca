using System.Text;
using Moat.Filesystems.Synthetic;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.Proc;

/// <summary>/proc/PID/fd/N: leads to the open file's place.</summary>
internal sealed class FdLink(ProcFilesystem proc, GuestTask owner, int fd) : SyntheticInode(proc, Mode.S_IFLNK | (Mode)0x1C0)
{
    /// <inheritdoc/>
    protected override NewOwner Owner => new(owner.Credentials.EffectiveUid, owner.Credentials.EffectiveGid);

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
            // Files without a place (sockets, anonymous inodes) can't be opened again through /proc.
            return file.Location is { } location ? location : Errno.ENXIO;
        }
        finally
        {
            file.Release();
        }
    }
}
