using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.Overlay;

/// <summary>An open directory of an overlay. As long as nothing was changed in it, it is the lower one that is read. Otherwise the merged entries are taken when a listing starts and stay as they are until it starts over, so that offsets, which count them, hold.</summary>
internal sealed class OverlayDirectoryDescription(OverlayInode directory, OpenFlags flags, PathLocation location) : FileDescription(flags, location)
{
    private List<OverlayEntry>? _entries; // guarded by OffsetLock
    private FileDescription? _lower; // guarded by OffsetLock: read instead

    public override Inode Inode => directory;

    public override bool IsSeekable => true;

    public override SyscallResult Read(GuestTask task, ref IoBuffer destination, long offset) => Errno.EISDIR;

    public override Errno Sync(bool dataOnly) => Errno.None;

    public override SyscallResult Seek(GuestTask task, long offset, int whence)
    {
        Int128 target = whence switch { 0 => offset, 1 => (Int128)Offset + offset, _ => -1 };
        if (target < 0 || target > long.MaxValue)
        {
            return Errno.EINVAL;
        }

        if (target == 0)
        {
            _entries = null;
            _lower?.Release();
            _lower = null;
        }

        return Offset = (long)target;
    }

    public override Errno ReadDirectory(GuestTask task, IDirectorySink sink)
    {
        TouchAccessed();
        if (_entries is null && _lower is null && !directory.OpenUnchanged(task).TryGet(out _lower, out Errno unopened) && unopened != Errno.ENOENT)
        {
            return unopened;
        }

        if (_lower is not null)
        {
            _lower.Offset = Offset;
            Errno failed = _lower.ReadDirectory(task, sink);
            Offset = _lower.Offset;
            return failed;
        }

        if (_entries is null)
        {
            if (!directory.List(task).TryGet(out List<OverlayEntry>? entries, out Errno errno))
            {
                return errno;
            }

            _entries = entries;
        }

        for (int i = (int)Math.Min(Offset, int.MaxValue); i < _entries.Count; i++)
        {
            OverlayEntry entry = _entries[i];
            if (!sink.TryAdd(entry.Name.Bytes, entry.Number, entry.Type, i + 1))
            {
                break;
            }

            Offset = i + 1;
        }

        return Errno.None;
    }

    protected override void OnLastClose() => _lower?.Release();
}
