using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.Overlay;

/// <summary>An open regular file of an overlay: passes everything on to an open file of the layer that has the content, and changes over to the upper one when the file is copied up.</summary>
internal sealed class OverlayFileDescription(OverlayInode inode, FileDescription layerFile, OpenFlags flags, PathLocation location) : FileDescription(flags, location)
{
    private FileDescription _current = layerFile;
    private FileDescription? _lower; // kept open after the change: mappings show it

    public override Inode Inode => inode;

    public override bool IsSeekable => true;

    public override IMappable? Mappable => _current.Mappable;

    public override SyscallResult Read(GuestTask task, ref IoBuffer destination, long offset)
    {
        if (!Current(task).TryGet(out FileDescription? file, out Errno errno))
        {
            return errno;
        }

        SyscallResult result = file.Read(task, ref destination, offset);
        if (!result.IsError && inode.Upper is not null)
        {
            TouchAccessed();
        }

        return result;
    }

    public override SyscallResult Write(GuestTask task, ref IoBuffer source, ref long offset)
    {
        if (!Current(task).TryGet(out FileDescription? file, out Errno errno))
        {
            return errno;
        }

        file.StatusFlags = StatusFlags; // O_APPEND may have been set since
        return file.Write(task, ref source, ref offset);
    }

    public override SyscallResult Seek(GuestTask task, long offset, int whence)
    {
        if (!Current(task).TryGet(out FileDescription? file, out Errno errno))
        {
            return errno;
        }

        file.Offset = Offset;
        SyscallResult result = file.Seek(task, offset, whence);
        Offset = file.Offset;
        return result;
    }

    public override SyscallResult Ioctl(GuestTask task, uint request, ulong argument) =>
        Current(task).TryGet(out FileDescription? file, out Errno errno) ? file.Ioctl(task, request, argument) : errno;

    public override Errno Sync(bool dataOnly) => _current.Sync(dataOnly);

    public override Errno Allocate(GuestTask task, int mode, long offset, long length) =>
        Current(task).TryGet(out FileDescription? file, out Errno errno) ? file.Allocate(task, mode, offset, length) : errno;

    protected override void OnLastClose()
    {
        _current.Release();
        _lower?.Release();
    }

    private Result<FileDescription> Current(GuestTask task)
    {
        FileDescription seen = Volatile.Read(ref _current);
        if (inode.Upper is not { } upper || seen.Inode == upper)
        {
            return seen;
        }

        lock (inode.DirectoryLock) // no directory: it is there for this alone
        {
            if (_current.Inode == upper)
            {
                return _current;
            }

            if (!upper.Open(task, inode.PlaceOf(upper), StatusFlags).TryGet(out FileDescription? opened, out Errno errno))
            {
                return errno;
            }

            _lower = _current;
            Volatile.Write(ref _current, opened);
            return opened;
        }
    }
}
