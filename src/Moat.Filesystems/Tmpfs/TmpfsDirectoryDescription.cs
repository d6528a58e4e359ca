using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.Tmpfs;

/// <summary>An open tmpfs directory: the offset is 1 behind ".", 2 behind "..", and then the serial number of the last entry.</summary>
internal sealed class TmpfsDirectoryDescription(TmpfsDirectory directory, OpenFlags flags, PathLocation location) : FileDescription(flags, location)
{
    public override Inode Inode => directory;

    public override bool IsSeekable => true;

    public override SyscallResult Read(GuestTask task, ref IoBuffer destination, long offset) => Errno.EISDIR;

    public override Errno Sync(bool dataOnly) => Errno.None;

    public override SyscallResult Seek(GuestTask task, long offset, int whence)
    {
        long target = whence switch { 0 => offset, 1 => Offset + offset, _ => -1 };
        return target < 0 ? Errno.EINVAL : Offset = target;
    }

    public override Errno ReadDirectory(GuestTask task, IDirectorySink sink)
    {
        TouchAccessed();
        if (Offset == 0)
        {
            if (!sink.TryAdd("."u8, directory.Number, Mode.S_IFDIR, 1))
            {
                return Errno.None;
            }

            Offset = 1;
        }

        if (Offset == 1)
        {
            if (!sink.TryAdd(".."u8, directory.ParentNumber, Mode.S_IFDIR, 2))
            {
                return Errno.None;
            }

            Offset = 2;
        }

        long offset = Offset;
        Errno errno = directory.List(offset, sink, ref offset);
        Offset = offset;
        return errno;
    }
}
