using Moat.Host;
using Moat.Kernel.Vfs;
using Moat.Linux;
using Moat.Platform;

namespace Moat.Filesystems;

/// <summary>Moves bytes between a host descriptor and a buffer: into pinned guest pages without a copy, or through the Sentry's own memory.</summary>
internal static class HostTransfer
{
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
            SyscallResult part = Write(ref source, fd, 1 << 16, offset < 0 ? -1 : offset + done);
            if (part.IsError || part.Raw == 0)
            {
                return done > 0 ? done : part;
            }

            done += part.Raw;
        }

        return done;
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

        byte[] copy = System.Buffers.ArrayPool<byte>.Shared.Rent((int)Math.Min(source.Length, Math.Min(limit, 1 << 16)));
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
