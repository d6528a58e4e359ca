using System.Buffers.Binary;
using Moat.Host;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.HostTree;

/// <summary>An open directory of the tree. Its entries are read once and kept until the listing starts over; the offset counts them.</summary>
internal sealed class HostTreeDirectory(HostTreeInode inode, int fd, OpenFlags flags, PathLocation location) : FileDescription(flags, location)
{
    private List<(byte[] Name, ulong Inode, Mode Type)>? _entries; // guarded by OffsetLock

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
        return target < 0 ? Errno.EINVAL : Offset = target;
    }

    /// <inheritdoc/>
    public override Errno ReadDirectory(GuestTask task, IDirectorySink sink)
    {
        if (_entries is null)
        {
            Errno errno = Load();
            if (errno != Errno.None)
            {
                return errno;
            }
        }

        for (int i = (int)Math.Min(Offset, int.MaxValue); i < _entries!.Count; i++)
        {
            (byte[] name, ulong number, Mode type) = _entries[i];
            if (!sink.TryAdd(name, number, type, i + 1))
            {
                break;
            }

            Offset = i + 1;
        }

        return Errno.None;
    }

    /// <inheritdoc/>
    protected override void OnLastClose() => HostMemory.Close(fd);

    private Errno Load()
    {
        List<(byte[] Name, ulong Inode, Mode Type)> entries = [];
        byte[] buffer = new byte[32768];
        while (true)
        {
            SyscallResult result = HostFile.ReadDirectory(fd, buffer);
            if (result.IsError)
            {
                return result.Errno;
            }

            if (result.Raw == 0)
            {
                _entries = entries;
                return Errno.None;
            }

            for (int at = 0; at < result.Raw;)
            {
                ReadOnlySpan<byte> entry = buffer.AsSpan(at);
                int length = BinaryPrimitives.ReadUInt16LittleEndian(entry[16..]);
                ReadOnlySpan<byte> name = entry[19..length];
                entries.Add((name[..name.IndexOf((byte)0)].ToArray(), BinaryPrimitives.ReadUInt64LittleEndian(entry), (Mode)((uint)entry[18] << 12)));
                at += length;
            }
        }
    }
}
