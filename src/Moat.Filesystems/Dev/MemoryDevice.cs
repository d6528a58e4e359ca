using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.Dev;

/// <summary>An open /dev/null, zero, full, random or urandom (null(4), full(4), random(4)).</summary>
internal sealed class MemoryDevice(MemoryDeviceKind kind, OpenFlags flags, PathLocation location) : FileDescription(flags, location)
{
    /// <inheritdoc/>
    public override Inode Inode => Location!.Value.Inode;

    /// <inheritdoc/>
    public override bool IsPollable => true;

    /// <inheritdoc/>
    public override bool IsSeekable => true;

    /// <inheritdoc/>
    public override bool MapsAnonymousMemory => kind == MemoryDeviceKind.Zero;

    /// <summary>Always 0: reads and writes are the same everywhere.</summary>
    public override SyscallResult Seek(GuestTask task, long offset, int whence) => 0;

    /// <inheritdoc/>
    public override SyscallResult Read(GuestTask task, ref IoBuffer destination, long offset)
    {
        switch (kind)
        {
            case MemoryDeviceKind.Null:
                return 0;
            case MemoryDeviceKind.Random:
                return FillRandom(task, ref destination);
            default:
                return destination.Clear(destination.Length).TryGet(out long count, out Errno errno) ? count : errno;
        }
    }

    /// <inheritdoc/>
    public override SyscallResult Write(GuestTask task, ref IoBuffer source, ref long offset)
    {
        if (kind == MemoryDeviceKind.Full)
        {
            return Errno.ENOSPC;
        }

        long count = source.Length;
        source.Advance(count);
        return count;
    }

    private static SyscallResult FillRandom(GuestTask task, ref IoBuffer destination)
    {
        Span<byte> chunk = stackalloc byte[512];
        long done = 0;
        while (!destination.IsEmpty)
        {
            Span<byte> part = chunk[..(int)Math.Min(chunk.Length, destination.Length)];
            task.Kernel.Random.Fill(part);
            if (!destination.CopyFrom(part).TryGet(out int copied, out Errno errno))
            {
                return done > 0 ? done : errno;
            }

            done += copied;
            if (copied < part.Length)
            {
                break;
            }
        }

        return done;
    }
}
