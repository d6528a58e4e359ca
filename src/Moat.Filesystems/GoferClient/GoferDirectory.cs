using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;
using Moat.NineP;

namespace Moat.Filesystems.GoferClient;

/// <summary>An open directory. Its entries are read once and kept until the listing starts over; the offset counts them, "." and ".." first.</summary>
internal sealed class GoferDirectory(GoferInode inode, OpenFlags flags, PathLocation location) : FileDescription(flags, location)
{
    private GoferListing? _entries; // guarded by OffsetLock

    /// <inheritdoc/>
    public override Inode Inode => inode;

    /// <inheritdoc/>
    public override bool IsSeekable => true;

    /// <inheritdoc/>
    public override SyscallResult Read(GuestTask task, ref IoBuffer destination, long offset) => Errno.EISDIR;

    /// <inheritdoc/>
    public override Errno Sync(bool dataOnly) => Errno.None;

    /// <inheritdoc/>
    public override SyscallResult Seek(GuestTask task, long offset, int whence)
    {
        long target = whence switch { 0 => offset, 1 => Offset + offset, _ => -1 };
        if (target < 0)
        {
            return Errno.EINVAL;
        }

        _entries = target == 0 ? null : _entries;
        return Offset = target;
    }

    /// <inheritdoc/>
    public override Errno ReadDirectory(GuestTask task, IDirectorySink sink)
    {
        if (_entries is null)
        {
            if (!inode.List().TryGet(out GoferListing? entries, out Errno errno))
            {
                return errno;
            }

            _entries = entries;
        }

        while (Offset < _entries.Count + 2)
        {
            bool isTaken;
            if (Offset < 2)
            {
                GoferInode place = Offset == 0 ? inode : inode.Places.Current.Parent ?? inode;
                isTaken = sink.TryAdd(Offset == 0 ? "."u8 : ".."u8, place.Number, Mode.S_IFDIR, Offset + 1);
            }
            else
            {
                NinePListedFile entry = _entries[(int)Offset - 2];
                isTaken = entry.Name.Length == 0 || sink.TryAdd(entry.Name.Bytes, entry.Attributes.Qid.Path, entry.Attributes.Mode & Mode.S_IFMT, Offset + 1);
            }

            if (!isTaken)
            {
                break;
            }

            Offset++;
        }

        return Errno.None;
    }
}
