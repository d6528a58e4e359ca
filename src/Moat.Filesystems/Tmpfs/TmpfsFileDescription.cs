using Moat.Kernel.Credentials;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.Tmpfs;

/// <summary>An open regular tmpfs file.</summary>
internal sealed class TmpfsFileDescription(TmpfsFile file, OpenFlags flags, PathLocation location) : FileDescription(flags, location)
{
    private const int KeepSize = 1;
    private const int PunchHole = 2 | KeepSize;

    public override Inode Inode => file;

    public override bool IsSeekable => true;

    public override IMappable? Mappable => file.Pages;

    public override FileSeals? Seals => file.Pages.Seals;

    public override Errno AddSeals(FileSeals seals)
    {
        const Mode ExecuteBits = (Mode)0x49;
        bool isExecutable = file.GetAttributes(out InodeAttributes attributes) == Errno.None && (attributes.Mode & ExecuteBits) != 0;
        return file.Pages.AddSeals((seals & FileSeals.Exec) != 0 && isExecutable ? seals | FileSeals.Shrink | FileSeals.Grow | FileSeals.AnyWrite : seals);
    }

    public override SyscallResult Read(GuestTask task, ref IoBuffer destination, long offset)
    {
        SyscallResult result = file.Pages.Read(ref destination, offset);
        if (!result.IsError)
        {
            TouchAccessed();
        }

        return result;
    }

    public override SyscallResult Write(GuestTask task, ref IoBuffer source, ref long offset)
    {
        if (Appends(source))
        {
            // Two appends must not take the same end.
            lock (file.DirectoryLock)
            {
                offset = file.Pages.Size;
                return WriteAt(task, ref source, ref offset);
            }
        }

        return WriteAt(task, ref source, ref offset);
    }

    public override SyscallResult Seek(GuestTask task, long offset, int whence)
    {
        const int Data = 3;
        const int Hole = 4;
        if (whence is Data or Hole)
        {
            SyscallResult found = file.Pages.Seek(offset, whence == Data);
            if (!found.IsError)
            {
                Offset = found.Raw;
            }

            return found;
        }

        // A sum past the largest offset becomes negative.
        long target = whence switch { 0 => offset, 1 => unchecked(Offset + offset), 2 => unchecked(file.Pages.Size + offset), _ => -1 };
        return target < 0 ? Errno.EINVAL : Offset = target;
    }

    public override Errno Sync(bool dataOnly) => Errno.None;

    public override Errno Allocate(GuestTask task, int mode, long offset, long length)
    {
        if (mode is not (0 or KeepSize or PunchHole))
        {
            return Errno.EOPNOTSUPP;
        }

        Errno errno = mode == PunchHole ? file.Pages.PunchHole(offset, length) : file.Pages.Allocate(offset, length, keepSize: mode == KeepSize);
        if (errno != Errno.None)
        {
            return errno;
        }

        file.TouchModified();
        return errno;
    }

    protected override void OnLastClose() => file.OnClose();

    private SyscallResult WriteAt(GuestTask task, ref IoBuffer source, ref long offset)
    {
        SyscallResult result = file.Pages.Write(ref source, offset);
        if (!result.IsError)
        {
            offset += result.Raw;
            file.TouchModified(dropSetId: !task.Credentials.HasCapability(Capability.CAP_FSETID));
        }

        return result;
    }
}
