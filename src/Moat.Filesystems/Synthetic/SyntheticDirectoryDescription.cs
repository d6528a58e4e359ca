using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.Synthetic;

/// <summary>An open synthetic directory: the offset counts entries, "." is 0 and ".." is 1.</summary>
internal sealed class SyntheticDirectoryDescription(SyntheticDirectory directory, OpenFlags flags, PathLocation location) : FileDescription(flags, location)
{
    private IReadOnlyList<SyntheticEntry>? _entries; // guarded by OffsetLock

    /// <inheritdoc/>
    public override Inode Inode => directory;

    /// <inheritdoc/>
    public override bool IsSeekable => true;

    /// <inheritdoc/>
    public override SyscallResult Read(GuestTask task, ref IoBuffer destination, long offset) => Errno.EISDIR;

    /// <inheritdoc/>
    public override SyscallResult Seek(GuestTask task, long offset, int whence)
    {
        if (whence is not (0 or 1))
        {
            return Errno.EINVAL;
        }

        long target = whence == 1 ? Offset + offset : offset;
        if (target < 0)
        {
            return Errno.EINVAL;
        }

        if (target == 0)
        {
            _entries = null;
        }

        Offset = target;
        return target;
    }

    /// <inheritdoc/>
    public override Errno ReadDirectory(GuestTask task, IDirectorySink sink)
    {
        _entries ??= directory.List(task);
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
            Inode? parent = Location?.Dentry.Parent.Inode;
            if (!sink.TryAdd(".."u8, parent is SyntheticInode known ? known.Number : directory.Number, Mode.S_IFDIR, 2))
            {
                return Errno.None;
            }

            Offset = 2;
        }

        for (long i = Offset - 2; i < _entries.Count; i++)
        {
            SyntheticEntry entry = _entries[(int)i];
            if (!sink.TryAdd(entry.Name.Bytes, entry.Inode, entry.Type, i + 3))
            {
                break;
            }

            Offset = i + 3;
        }

        return Errno.None;
    }
}
