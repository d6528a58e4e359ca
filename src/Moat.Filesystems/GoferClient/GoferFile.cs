using Moat.Host;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;
using Moat.NineP;
using Moat.Platform;

namespace Moat.Filesystems.GoferClient;

/// <summary>An open regular file with the descriptor that the Gofer donated: data goes straight between the host's file and guest memory, mappings show the host's own pages.</summary>
internal sealed class GoferFile : FileDescription, IMappable, IMappableFile
{
    private static readonly Lock s_appendLock = new(); // one appends at a time: size and write are two calls

    private readonly GoferInode _inode;
    private readonly GoferFilesystem _tree;
    private readonly int _fd;
    private readonly GoferDescriptor? _descriptor; // in a tree that nobody changes
    private readonly long _knownSize;
    private readonly Lock? _mappingLock; // in a shared tree
    private readonly List<MemoryManager>? _mappings; // guarded by _mappingLock

    /// <summary>A file that others may change, with a descriptor of its own.</summary>
    public GoferFile(GoferInode inode, int fd, GoferFilesystem tree, OpenFlags flags, PathLocation location)
        : base(flags, location)
    {
        _inode = inode;
        _tree = tree;
        _fd = fd;
        _mappingLock = new Lock();
        _mappings = [];
        _knownSize = HostFile.Stat(fd).TryGet(out HostStat stat, out _) ? stat.Size : 0;
    }

    /// <summary>A file that nobody changes; it takes over the caller's use of the descriptor.</summary>
    public GoferFile(GoferInode inode, GoferDescriptor descriptor, GoferFilesystem tree, OpenFlags flags, PathLocation location)
        : base(flags, location)
    {
        _inode = inode;
        _tree = tree;
        _descriptor = descriptor;
        _fd = descriptor.Fd;
        _ = inode.GetAttributes(out InodeAttributes attributes);
        _knownSize = attributes.Size;
    }

    /// <inheritdoc/>
    public int HostFd => _fd;

    /// <inheritdoc/>
    public override Inode Inode => _inode;

    /// <inheritdoc/>
    public override bool IsSeekable => true;

    /// <inheritdoc/>
    public override IMappable? Mappable => this;

    /// <inheritdoc/>
    public bool CanShowAhead => true;

    private long Size => _descriptor is not null ? _knownSize : HostFile.Stat(_fd).TryGet(out HostStat stat, out _) ? stat.Size : _knownSize;

    /// <inheritdoc/>
    public override SyscallResult Read(GuestTask task, ref IoBuffer destination, long offset)
    {
        if (_descriptor is null || !GoferPageCache.Answers(offset, destination.Length))
        {
            return HostTransfer.Read(ref destination, _fd, offset);
        }

        if (!_tree.Pages.Read(_inode, _fd, offset).TryGet(out ReadOnlyMemory<byte> bytes, out Errno errno))
        {
            return errno;
        }

        ReadOnlySpan<byte> wanted = bytes.Span[..(int)Math.Min(bytes.Length, destination.Length)];
        return wanted.IsEmpty ? 0 : destination.CopyFrom(wanted).TryGet(out int count, out errno) ? count : errno;
    }

    /// <inheritdoc/>
    public override SyscallResult Write(GuestTask task, ref IoBuffer source, ref long offset)
    {
        if (!Appends(source))
        {
            return WriteAt(ref source, ref offset);
        }

        lock (s_appendLock)
        {
            offset = Size;
            return WriteAt(ref source, ref offset);
        }
    }

    /// <inheritdoc/>
    public override Errno Sync(bool dataOnly) => CanWrite ? HostCall.Invoke(dataOnly ? SyscallNumber.fdatasync : SyscallNumber.fsync, _fd).Errno : Errno.None;

    /// <inheritdoc/>
    public override Errno Allocate(GuestTask task, int mode, long offset, long length) => HostCall.Invoke(SyscallNumber.fallocate, _fd, mode, (nint)offset, (nint)length).Errno;

    /// <inheritdoc/>
    public override SyscallResult Seek(GuestTask task, long offset, int whence)
    {
        if (whence is 3 or 4)
        {
            SyscallResult found = HostCall.Invoke(SyscallNumber.lseek, _fd, (nint)offset, whence); // the descriptor's own offset is used for nothing else
            return found.IsError ? found : Offset = found.Raw;
        }

        Int128 target = whence switch { 0 => offset, 1 => (Int128)Offset + offset, 2 => (Int128)Size + offset, _ => -1 };
        return target < 0 || target > long.MaxValue ? Errno.EINVAL : Offset = (long)target;
    }

    /// <inheritdoc/>
    public Result<MappablePages> Translate(ulong offset, ulong length, MemoryAccess access)
    {
        ulong end = AddressLayout.RoundUp((ulong)Size);
        if (offset >= end)
        {
            return Errno.EFAULT;
        }

        bool writes = (access & MemoryAccess.Write) != 0;
        if (writes && !CanWrite)
        {
            return Errno.EACCES;
        }

        return new MappablePages(this, offset, Math.Min(length, end - offset), MemoryAccess.Read | MemoryAccess.Execute | (CanWrite ? MemoryAccess.Write : 0));
    }

    /// <inheritdoc/>
    public Result<int> ReadAt(ulong offset, Span<byte> destination)
    {
        if (_descriptor is null || !GoferPageCache.Answers((long)offset, destination.Length))
        {
            return ToCount(HostFile.ReadAt(_fd, destination, (long)offset));
        }

        if (!_tree.Pages.Read(_inode, _fd, (long)offset).TryGet(out ReadOnlyMemory<byte> bytes, out Errno errno))
        {
            return errno;
        }

        int count = Math.Min(bytes.Length, destination.Length);
        bytes.Span[..count].CopyTo(destination);
        return count;
    }

    /// <inheritdoc/>
    public Result<int> WriteAt(ulong offset, ReadOnlySpan<byte> source) => CanWrite ? ToCount(HostFile.WriteAt(_fd, source, (long)offset)) : Errno.EBADF;

    /// <inheritdoc/>
    public void AddMapping(MemoryManager memory, bool isWritable)
    {
        if (_mappingLock is null)
        {
            return; // nothing goes away
        }

        lock (_mappingLock)
        {
            _mappings!.Add(memory);
        }
    }

    /// <inheritdoc/>
    public void RemoveMapping(MemoryManager memory, bool isWritable)
    {
        if (_mappingLock is null)
        {
            return;
        }

        lock (_mappingLock)
        {
            _mappings!.Remove(memory);
        }
    }

    /// <summary>Attributes of the open file, whether or not it still has a name.</summary>
    internal Errno GetAttributes(out NinePAttributes attributes)
    {
        attributes = default;
        if (!HostFile.Stat(_fd).TryGet(out HostStat stat, out Errno errno))
        {
            return errno;
        }

        attributes = new NinePAttributes
        {
            Mode = (Mode)stat.Mode,
            Uid = stat.Uid,
            Gid = stat.Gid,
            LinkCount = stat.LinkCount,
            Size = (ulong)stat.Size,
            BlockSize = (ulong)stat.BlockSize,
            Blocks = (ulong)stat.Blocks,
            AccessTime = stat.AccessTime,
            ModifyTime = stat.ModifyTime,
            ChangeTime = stat.ChangeTime,
        };
        return Errno.None;
    }

    /// <summary>Changes what can be changed through the descriptor: the size. The rest of a file without a name belongs to the Gofer, which cannot find it any more: ENOENT.</summary>
    internal Errno SetAttributes(in NinePAttributeChange change)
    {
        bool isSizeAlone = change is { Size: not null, Permissions: null, Uid: null, Gid: null };
        return isSizeAlone ? HostMemory.Truncate(_fd, (long)change.Size!.Value) : Errno.ENOENT;
    }

    /// <summary>The file has been cut off: pages behind the end must not be seen any more.</summary>
    internal void Truncated(long size)
    {
        MemoryManager[] mappings;
        lock (_mappingLock!)
        {
            mappings = [.. _mappings!];
        }

        foreach (MemoryManager memory in mappings)
        {
            memory.InvalidateFilePages(this, AddressLayout.RoundUp((ulong)size), ulong.MaxValue);
        }
    }

    /// <inheritdoc/>
    protected override void OnLastClose()
    {
        if (_descriptor is not null)
        {
            _tree.Descriptors.Release(_descriptor);
            return;
        }

        _inode.Closed(this);
        HostMemory.Close(_fd);
    }

    private SyscallResult WriteAt(ref IoBuffer source, ref long offset)
    {
        SyscallResult result = HostTransfer.WriteAt(ref source, _fd, offset);
        offset += result.IsError ? 0 : result.Raw;
        return result;
    }

    private static Result<int> ToCount(SyscallResult result) => result.IsError ? result.Errno : (int)result.Raw;
}
