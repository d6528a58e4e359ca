using Moat.Host;
using Moat.Kernel.Vfs;
using Moat.Linux;
using Moat.Platform;

namespace Moat.Filesystems;

/// <summary>Moves bytes between a host descriptor and a buffer: into pinned guest pages without a copy, or through the Sentry's own memory.</summary>
internal static class HostTransfer
{
    private const int ChunkBytes = 1 << 16;

    /// <summary>Reads at an offset; -1 uses the descriptor's own offset.</summary>
    /// <param name="destination">Where to.</param>
    /// <param name="fd">The descriptor.</param>
    /// <param name="offset">The offset.</param>
    /// <param name="noWait">At the descriptor's own offset: EAGAIN instead of waiting, EOPNOTSUPP where the host cannot say so.</param>
    public static SyscallResult Read(ref IoBuffer destination, int fd, long offset, bool noWait = false)
    {
        if (destination.IsEmpty)
        {
            return 0;
        }

        if (destination.TryGetOwn(out Span<byte> own))
        {
            SyscallResult direct = noWait ? HostFile.ReadNoWait(fd, own) : offset < 0 ? HostFile.Read(fd, own) : HostFile.ReadAt(fd, own, offset);
            if (!direct.IsError)
            {
                destination.Advance(direct.Raw);
            }

            return direct;
        }

        long done = 0;
        while (!destination.IsEmpty)
        {
            PinnedMemory pinned = default;
            Errno errno = destination.Pin(MemoryAccess.Write, ref pinned);
            if (errno == Errno.EOPNOTSUPP)
            {
                SyscallResult copied = ReadThroughCopy(ref destination, fd, offset < 0 ? offset : offset + done, noWait);
                return done == 0 ? copied : done + Math.Max(0, copied.Raw);
            }

            if (errno != Errno.None)
            {
                return done > 0 ? done : errno;
            }

            long wanted = pinned.Length;
            SyscallResult result = noWait ? HostFile.ReadNoWait(fd, pinned.Segments) : offset < 0 ? HostFile.Read(fd, pinned.Segments) : HostFile.ReadAt(fd, pinned.Segments, offset + done);
            pinned.Dispose();
            if (result.IsError)
            {
                return done > 0 ? done : result;
            }

            destination.Advance(result.Raw);
            done += result.Raw;
            if (result.Raw < wanted || offset < 0)
            {
                break;
            }
        }

        return done;
    }

    /// <summary>Writes all of it at an offset (-1: the descriptor's own), as far as the host takes it.</summary>
    public static SyscallResult WriteAt(ref IoBuffer source, int fd, long offset)
    {
        long done = 0;
        while (!source.IsEmpty)
        {
            SyscallResult part = offset >= 0 && WritePinned(ref source, fd, offset + done) is { } direct ? direct : Write(ref source, fd, ChunkBytes, offset < 0 ? -1 : offset + done);
            if (part.IsError || part.Raw == 0)
            {
                return done > 0 ? done : part;
            }

            done += part.Raw;
        }

        return done;
    }

    // Straight from guest memory; null where it shows a file of the host.
    private static SyscallResult? WritePinned(ref IoBuffer source, int fd, long offset)
    {
        if (source.TryGetOwn(out _))
        {
            return null;
        }

        PinnedMemory pinned = default;
        Errno errno = source.Pin(MemoryAccess.Read, ref pinned);
        if (errno != Errno.None)
        {
            return errno == Errno.EOPNOTSUPP ? null : errno;
        }

        SyscallResult result = HostFile.WriteAt(fd, pinned.Segments, offset);
        pinned.Dispose();
        if (!result.IsError)
        {
            source.Advance(result.Raw);
        }

        return result;
    }

    // The destination shows a file of the host, of which no page is ever touched through a pointer.
    private static SyscallResult ReadThroughCopy(ref IoBuffer destination, int fd, long offset, bool noWait)
    {
        byte[] copy = System.Buffers.ArrayPool<byte>.Shared.Rent(ChunkBytes);
        try
        {
            Span<byte> wanted = copy.AsSpan(0, (int)Math.Min(destination.Length, ChunkBytes));
            SyscallResult result = noWait ? HostFile.ReadNoWait(fd, wanted) : offset < 0 ? HostFile.Read(fd, wanted) : HostFile.ReadAt(fd, wanted, offset);
            return result.IsError || result.Raw == 0 ? result : destination.CopyFrom(wanted[..(int)result.Raw]).TryGet(out int count, out Errno errno) ? count : errno;
        }
        finally
        {
            System.Buffers.ArrayPool<byte>.Shared.Return(copy);
        }
    }

    /// <summary>Writes at the descriptor's own offset, at most <paramref name="limit"/> bytes; at another offset if one is given.</summary>
    public static SyscallResult Write(ref IoBuffer source, int fd, long limit, long offset = -1, bool noWait = false)
    {
        if (source.IsEmpty)
        {
            return 0;
        }

        if (source.TryGetOwn(out Span<byte> own))
        {
            ReadOnlySpan<byte> first = own[..(int)Math.Min(own.Length, limit)];
            SyscallResult direct = noWait ? HostFile.WriteNoWait(fd, first) : offset < 0 ? HostFile.Write(fd, first) : HostFile.WriteAt(fd, first, offset);
            if (!direct.IsError)
            {
                source.Advance(direct.Raw);
            }

            return direct;
        }

        byte[] copy = System.Buffers.ArrayPool<byte>.Shared.Rent((int)Math.Min(source.Length, Math.Min(limit, ChunkBytes)));
        try
        {
            IoBuffer peek = source;
            int wanted = (int)Math.Min(source.Length, Math.Min(limit, copy.Length));
            if (!peek.CopyTo(copy.AsSpan(0, wanted)).TryGet(out int count, out Errno errno))
            {
                return errno;
            }

            SyscallResult result = noWait ? HostFile.WriteNoWait(fd, copy.AsSpan(0, count)) : offset < 0 ? HostFile.Write(fd, copy.AsSpan(0, count)) : HostFile.WriteAt(fd, copy.AsSpan(0, count), offset);
            if (!result.IsError)
            {
                source.Advance(result.Raw);
            }

            return result;
        }
        finally
        {
            System.Buffers.ArrayPool<byte>.Shared.Return(copy);
        }
    }
}
