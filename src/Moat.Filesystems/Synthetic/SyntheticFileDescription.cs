using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.Synthetic;

/// <summary>An open synthetic file. A read at offset 0 makes the content anew; later reads go on in the same content, so that a reader in pieces sees one consistent text.</summary>
internal sealed class SyntheticFileDescription(SyntheticFile file, OpenFlags flags, PathLocation location) : FileDescription(flags, location)
{
    private readonly Lock _lock = new();
    private SyntheticText? _content; // guarded by _lock

    /// <inheritdoc/>
    public override Inode Inode => file;

    /// <inheritdoc/>
    public override bool IsSeekable => true;

    /// <inheritdoc/>
    public override SyscallResult Read(GuestTask task, ref IoBuffer destination, long offset)
    {
        SyntheticText? content;
        lock (_lock)
        {
            content = offset == 0 ? null : _content;
        }

        if (content is null)
        {
            content = new SyntheticText();
            Errno errno = file.Generate(task, content);
            if (errno != Errno.None)
            {
                return errno;
            }

            lock (_lock)
            {
                _content = content;
            }
        }

        if (offset >= content.Written.Length)
        {
            return 0;
        }

        return destination.CopyFrom(content.Written[(int)offset..]).TryGet(out int count, out Errno fault) ? count : fault;
    }

    /// <inheritdoc/>
    public override SyscallResult Write(GuestTask task, ref IoBuffer source, ref long offset)
    {
        Span<byte> buffer = stackalloc byte[SyntheticFile.MaxWrite];
        if (!source.CopyTo(buffer).TryGet(out int count, out Errno fault))
        {
            return fault;
        }

        Errno errno = file.Store(task, buffer[..count]);
        if (errno != Errno.None)
        {
            return errno;
        }

        offset += count;
        return count;
    }

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

        Offset = target;
        return target;
    }
}
