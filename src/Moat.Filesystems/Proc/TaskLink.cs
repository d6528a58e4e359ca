using Moat.Filesystems.Synthetic;
using Moat.Kernel.Credentials;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.Proc;

/// <summary>cwd, root and exe of a process: links that are followed to the place itself, whatever its path is now.</summary>
internal sealed class TaskLink(ProcFilesystem proc, GuestTask task, Func<GuestTask, PathLocation?> place) : SyntheticInode(proc, Mode.S_IFLNK | (Mode)0x1FF)
{
    /// <inheritdoc/>
    protected override NewOwner Owner => ProcFilesystem.OwnerOf(task);

    /// <inheritdoc/>
    public override Result<byte[]> ReadSymlink(GuestTask? reader) =>
        reader is null || !TraceAccess.IsAllowedByFileIds(reader, task) ? Errno.EACCES : place(task) is { } location ? PathPrinter.Print(reader.Fs.Root, location, out _) : Errno.ENOENT;

    /// <inheritdoc/>
    public override Result<PathLocation>? FollowMagicLink(GuestTask reader) =>
        !TraceAccess.IsAllowedByFileIds(reader, task) ? Errno.EACCES : place(task) is { } location ? location : Errno.ENOENT;
}
