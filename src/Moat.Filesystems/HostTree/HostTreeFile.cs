using Moat.Host;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;
using Moat.Platform;

namespace Moat.Filesystems.HostTree;

/// <summary>An open regular file of the tree: reads go from the host's descriptor straight into guest memory, mappings show the host's own pages.</summary>
internal sealed class HostTreeFile(HostTreeInode inode, int fd, long size, OpenFlags flags, PathLocation location) : FileDescription(flags, location), IMappable, IMappableFile
{
    /// <inheritdoc/>
    public int HostFd => fd;

    /// <inheritdoc/>
    public override Inode Inode => inode;

    /// <inheritdoc/>
    public override bool IsSeekable => true;

    /// <inheritdoc/>
    public override IMappable? Mappable => this;

    /// <inheritdoc/>
    public override SyscallResult Read(GuestTask task, ref IoBuffer destination, long offset) => HostTransfer.Read(ref destination, fd, offset);

    /// <inheritdoc/>
    public override Errno Sync(bool dataOnly) => Errno.None;

    /// <inheritdoc/>
    public override SyscallResult Seek(GuestTask task, long offset, int whence)
    {
        if (whence is 3 or 4)
        {
            return offset < 0 || offset >= size ? Errno.ENXIO : Offset = whence == 3 ? offset : size;
        }

        Int128 target = whence switch { 0 => offset, 1 => (Int128)Offset + offset, 2 => (Int128)size + offset, _ => -1 };
        return target < 0 ? Errno.EINVAL : target > long.MaxValue ? Errno.EOVERFLOW : Offset = (long)target;
    }

    /// <inheritdoc/>
    public Result<MappablePages> Translate(ulong offset, ulong length, MemoryAccess access)
    {
        ulong end = AddressLayout.RoundUp((ulong)size);
        if (offset >= end)
        {
            return Errno.EFAULT;
        }

        return (access & MemoryAccess.Write) != 0 ? Errno.EACCES : new MappablePages(this, offset, Math.Min(length, end - offset), MemoryAccess.Read | MemoryAccess.Execute);
    }

    /// <inheritdoc/>
    public Result<int> ReadAt(ulong offset, Span<byte> destination)
    {
        SyscallResult result = HostFile.ReadAt(fd, destination, (long)offset);
        return result.IsError ? result.Errno : (int)result.Raw;
    }

    /// <inheritdoc/>
    public Result<int> WriteAt(ulong offset, ReadOnlySpan<byte> source) => Errno.EROFS;

    /// <inheritdoc/>
    public void AddMapping(MemoryManager memory)
    {
    }

    /// <inheritdoc/>
    public void RemoveMapping(MemoryManager memory)
    {
    }

    /// <inheritdoc/>
    protected override void OnLastClose() => HostMemory.Close(fd);
}
