using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.Overlay;

/// <summary>Makes the upper twin of a lower file: content, owner, permissions, times, extended attributes. Called under <see cref="OverlayFilesystem.CopyLock"/>.</summary>
internal static class OverlayCopyUp
{
    private const int ChunkBytes = 256 << 10;

    /// <summary>Copies a file under its name into its parent's upper directory.</summary>
    /// <param name="task">Who causes it.</param>
    /// <param name="filesystem">The overlay.</param>
    /// <param name="lower">The file.</param>
    /// <param name="parentUpper">The upper directory; it keeps its times.</param>
    /// <param name="name">The name; null makes a regular file without one.</param>
    /// <param name="copyData">False where the content is about to be cut off.</param>
    public static Result<Inode> Copy(GuestTask task, OverlayFilesystem filesystem, Inode lower, Inode parentUpper, FileName? name, bool copyData)
    {
        Errno errno = lower.GetAttributes(out InodeAttributes attributes);
        if (errno != Errno.None)
        {
            return errno;
        }

        errno = parentUpper.GetAttributes(out InodeAttributes parentAttributes);
        if (errno != Errno.None)
        {
            return errno;
        }

        lock (parentUpper.DirectoryLock)
        {
            if (!Make(task, lower, parentUpper, name, attributes).TryGet(out Inode? upper, out errno))
            {
                return errno;
            }

            if (copyData && upper.FileType == Mode.S_IFREG)
            {
                errno = CopyData(task, filesystem, lower, upper, attributes.Size);
            }

            if (errno == Errno.None)
            {
                errno = CopyAttributes(task, lower, upper, attributes);
            }

            if (errno != Errno.None)
            {
                if (name is not null)
                {
                    _ = upper.IsDirectory ? parentUpper.RemoveDirectory(task, name, upper) : parentUpper.Unlink(task, name, upper);
                }

                return errno;
            }

            parentUpper.SetAttributes(task, new AttributeChange { AccessTime = parentAttributes.AccessTime, ModifyTime = parentAttributes.ModifyTime });
            return upper;
        }
    }

    private static Result<Inode> Make(GuestTask task, Inode lower, Inode parentUpper, FileName? name, in InodeAttributes attributes)
    {
        NewOwner owner = new(attributes.Uid, attributes.Gid);
        Mode permissions = attributes.Mode & Mode.PermissionMask;
        if (name is null)
        {
            return lower.FileType == Mode.S_IFREG ? parentUpper.MakeUnnamed(task, permissions, owner, isLinkable: false) : Errno.ENOENT;
        }

        switch (lower.FileType)
        {
            case Mode.S_IFDIR:
                return parentUpper.MakeDirectory(task, name, permissions, owner);
            case Mode.S_IFLNK:
                return lower.ReadSymlink(task).TryGet(out byte[]? target, out Errno errno) ? parentUpper.MakeSymlink(task, name, target, owner) : errno;
            default:
                return parentUpper.MakeNode(task, name, lower.FileType | permissions, attributes.SpecialDevice, owner);
        }
    }

    private static Errno CopyData(GuestTask task, OverlayFilesystem filesystem, Inode lower, Inode upper, long size)
    {
        if (!lower.Open(task, filesystem.PlaceOf(lower), OpenFlags.O_RDONLY).TryGet(out FileDescription? source, out Errno errno))
        {
            return errno;
        }

        if (!upper.Open(task, filesystem.PlaceOf(upper), OpenFlags.O_RDWR).TryGet(out FileDescription? target, out errno))
        {
            source.Release();
            return errno;
        }

        byte[] chunk = System.Buffers.ArrayPool<byte>.Shared.Rent(ChunkBytes);
        long offset = 0;
        while (offset < size)
        {
            IoBuffer into = new(chunk.AsSpan(0, (int)Math.Min(ChunkBytes, size - offset)));
            SyscallResult read = source.Read(task, ref into, offset);
            if (read.IsError || read.Raw == 0)
            {
                errno = read.Errno;
                break;
            }

            errno = WriteAll(task, target, chunk.AsSpan(0, (int)read.Raw), offset);
            if (errno != Errno.None)
            {
                break;
            }

            offset += read.Raw;
        }

        System.Buffers.ArrayPool<byte>.Shared.Return(chunk);
        source.Release();
        target.Release();
        return errno != Errno.None ? errno : upper.SetAttributes(task, new AttributeChange { Size = size });
    }

    // Runs of zeros stay holes.
    private static Errno WriteAll(GuestTask task, FileDescription target, Span<byte> data, long offset)
    {
        if (!data.ContainsAnyExcept((byte)0))
        {
            return Errno.None;
        }

        while (!data.IsEmpty)
        {
            IoBuffer from = new(data);
            long at = offset;
            SyscallResult written = target.Write(task, ref from, ref at);
            if (written.IsError || written.Raw == 0)
            {
                return written.IsError ? written.Errno : Errno.ENOSPC;
            }

            data = data[(int)written.Raw..];
            offset += written.Raw;
        }

        return Errno.None;
    }

    private static Errno CopyAttributes(GuestTask task, Inode lower, Inode upper, in InodeAttributes attributes)
    {
        if (lower.ListExtendedAttributes(task).TryGet(out byte[]? list, out _))
        {
            ReadOnlySpan<byte> rest = list;
            while (rest.IndexOf((byte)0) is > 0 and var length)
            {
                FileName name = new(rest[..length]);
                rest = rest[(length + 1)..];
                if (lower.GetExtendedAttribute(task, name).TryGet(out byte[]? value, out _))
                {
                    Errno errno = upper.SetExtendedAttribute(task, name, value, 0);
                    if (errno is not (Errno.None or Errno.EOPNOTSUPP))
                    {
                        return errno;
                    }
                }
            }
        }

        // A symbolic link has no permissions of its own to change.
        return upper.SetAttributes(task, new AttributeChange
        {
            Permissions = upper.FileType == Mode.S_IFLNK ? null : attributes.Mode & Mode.PermissionMask,
            Uid = attributes.Uid,
            Gid = attributes.Gid,
            AccessTime = attributes.AccessTime,
            ModifyTime = attributes.ModifyTime,
        });
    }
}
