using System.Buffers.Binary;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Kernel.Waiting;
using Moat.Linux;

namespace Moat.Filesystems.EventFiles;

/// <summary>An eventfd(2): a counter that is waited for.</summary>
public sealed class EventfdDescription(AnonymousFilesystem home, ulong initial, bool isSemaphore, OpenFlags flags) : FileDescription(flags | OpenFlags.O_RDWR, null)
{
    private readonly Lock _lock = new();
    private readonly WaitQueue _waiters = new();
    private ulong _count = initial; // guarded by _lock

    /// <inheritdoc/>
    public override string AnonymousName => "anon_inode:[eventfd]";

    /// <inheritdoc/>
    public override Inode Inode => home.Inode;

    /// <inheritdoc/>
    public override bool IsPollable => true;

    /// <inheritdoc/>
    public override SyscallResult Seek(GuestTask task, long offset, int whence) => 0;

    /// <inheritdoc/>
    public override SyscallResult Read(GuestTask task, ref IoBuffer destination, long offset)
    {
        if (destination.Length < sizeof(ulong))
        {
            return Errno.EINVAL;
        }

        ulong value;
        lock (_lock)
        {
            if (_count == 0)
            {
                return Errno.EAGAIN;
            }

            value = isSemaphore ? 1 : _count;
            _count -= value;
        }

        _waiters.Notify(PollEvents.Writable);
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        return destination.CopyFrom(bytes).TryGet(out int count, out Errno errno) ? count : errno;
    }

    /// <inheritdoc/>
    public override SyscallResult Write(GuestTask task, ref IoBuffer source, ref long offset)
    {
        if (source.Length < sizeof(ulong))
        {
            return Errno.EINVAL;
        }

        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        IoBuffer peek = source;
        if (!peek.CopyTo(bytes).TryGet(out int copied, out Errno errno))
        {
            return errno;
        }

        if (copied < bytes.Length)
        {
            return Errno.EFAULT;
        }

        ulong value = BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        if (value == ulong.MaxValue)
        {
            return Errno.EINVAL;
        }

        lock (_lock)
        {
            if (value > ulong.MaxValue - 1 - _count)
            {
                return Errno.EAGAIN;
            }

            _count += value;
        }

        source.Advance(source.Length);
        _waiters.Notify(PollEvents.Readable);
        return sizeof(ulong);
    }

    /// <inheritdoc/>
    public override PollEvents Readiness(PollEvents mask)
    {
        lock (_lock)
        {
            return ((_count > 0 ? PollEvents.Readable : 0) | (_count < ulong.MaxValue - 1 ? PollEvents.Writable : 0)) & mask;
        }
    }

    /// <inheritdoc/>
    public override void AddWaiter(WaitEntry entry) => _waiters.Add(entry);

    /// <inheritdoc/>
    public override void RemoveWaiter(WaitEntry entry) => _waiters.Remove(entry);
}
