using System.Runtime.InteropServices;
using Moat.Kernel.Vfs;
using Moat.Linux;
using Moat.Platform;

namespace Moat.Kernel.Memory;

/// <summary>The kernel's way to application memory: every byte of it that a handler reads or writes passes here. Any thread; nothing allocates.</summary>
public static class UserCopy
{
    private const int PageSize = MemoryFile.PageSize;
    private const int StringPiece = 128;
    private const int MaxRun = 64; // pages that are held at once

    /// <summary>Copies guest memory in, all of it or EFAULT.</summary>
    public static Errno CopyIn(this MemoryManager memory, GuestAddress address, Span<byte> destination) =>
        memory.CopyInPartial(address, destination) == destination.Length ? Errno.None : Errno.EFAULT;

    /// <summary>Copies to guest memory, all of it or EFAULT (what fitted before a missing page has been written, as Linux does).</summary>
    public static Errno CopyOut(this MemoryManager memory, GuestAddress address, ReadOnlySpan<byte> source) =>
        memory.CopyOutPartial(address, source) == source.Length ? Errno.None : Errno.EFAULT;

    /// <summary>Copies guest memory in up to the first page that can't be read; returns how many bytes.</summary>
    /// <param name="memory">Whose.</param>
    /// <param name="address">From where on.</param>
    /// <param name="destination">What is to be filled.</param>
    /// <param name="isForced">Whether for a debugger: see <see cref="MemoryManager.TryAcquire"/>.</param>
    public static int CopyInPartial(this MemoryManager memory, GuestAddress address, Span<byte> destination, bool isForced = false)
    {
        int done = 0;
        while (done < destination.Length)
        {
            ulong at = unchecked(address.Value + (ulong)done);
            int left = destination.Length - done;
            if (!memory.TryAcquire(at, MemoryAccess.Read, PagesOf(at, left), out AcquiredPage page, isForced))
            {
                break;
            }

            int count = Math.Min(left, BytesIn(page, at));
            Span<byte> part = destination.Slice(done, count);
            if (page.File is not null)
            {
                if (!page.File.ReadAt(page.FileOffset + (at % PageSize), part).TryGet(out int read, out _))
                {
                    break;
                }

                part[read..].Clear();
            }
            else
            {
                memory.MemoryFile.Bytes(page.Page, (int)(at % PageSize), count).CopyTo(part);
                memory.MemoryFile.RemovePin(page.Page, page.Count);
            }

            done += count;
        }

        return done;
    }

    /// <summary>Copies to guest memory up to the first page that can't be written; returns how many bytes.</summary>
    /// <param name="memory">Whose.</param>
    /// <param name="address">From where on.</param>
    /// <param name="source">What is to be written.</param>
    /// <param name="isForced">Whether for a debugger.</param>
    public static int CopyOutPartial(this MemoryManager memory, GuestAddress address, ReadOnlySpan<byte> source, bool isForced = false)
    {
        int done = 0;
        while (done < source.Length)
        {
            ulong at = unchecked(address.Value + (ulong)done);
            int left = source.Length - done;
            if (!memory.TryAcquire(at, MemoryAccess.Write, PagesOf(at, left), out AcquiredPage page, isForced))
            {
                break;
            }

            int count = Math.Min(left, BytesIn(page, at));
            ReadOnlySpan<byte> part = source.Slice(done, count);
            if (page.File is not null)
            {
                if (!page.File.WriteAt(page.FileOffset + (at % PageSize), part).TryGet(out int written, out _) || written < count)
                {
                    break;
                }
            }
            else
            {
                part.CopyTo(memory.MemoryFile.Bytes(page.Page, (int)(at % PageSize), count));
                memory.MemoryFile.RemovePin(page.Page, page.Count);
            }

            done += count;
        }

        return done;
    }

    /// <summary>Reads one value or structure.</summary>
    public static Errno Read<T>(this MemoryManager memory, GuestAddress address, out T value)
        where T : unmanaged
    {
        value = default;
        return memory.CopyIn(address, MemoryMarshal.AsBytes(new Span<T>(ref value)));
    }

    /// <summary>Writes one value or structure.</summary>
    public static Errno Write<T>(this MemoryManager memory, GuestAddress address, in T value)
        where T : unmanaged => memory.CopyOut(address, MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value)));

    /// <summary>Copies in a string that a zero byte ends, without the zero.</summary>
    /// <returns>Its length; ENAMETOOLONG if no zero comes within <paramref name="buffer"/>; EFAULT.</returns>
    public static Result<int> CopyInString(this MemoryManager memory, GuestAddress address, Span<byte> buffer)
    {
        int done = 0;
        while (done < buffer.Length)
        {
            ulong at = unchecked(address.Value + (ulong)done);
            Span<byte> part = buffer.Slice(done, Math.Min(buffer.Length - done, PageSize - (int)(at % PageSize)));
            if (!memory.TryAcquire(at, MemoryAccess.Read, 1, out AcquiredPage page))
            {
                return Errno.EFAULT;
            }

            int length = page.File is not null ? ReadString(page.File, page.FileOffset + (at % PageSize), part) : CopyString(memory.MemoryFile.Bytes(page.Page, (int)(at % PageSize), part.Length), part);
            if (page.File is null)
            {
                memory.MemoryFile.RemovePin(page.Page);
            }

            if (length < part.Length)
            {
                return length < 0 ? Errno.EFAULT : done + length;
            }

            done += length;
        }

        return Errno.ENAMETOOLONG;
    }

    // Strings are short: they are taken in small pieces, and what was copied is what is searched, since the guest may change it meanwhile.
    private static int CopyString(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        for (int done = 0; done < source.Length; done += StringPiece)
        {
            int count = Math.Min(StringPiece, source.Length - done);
            Span<byte> piece = destination.Slice(done, count);
            source.Slice(done, count).CopyTo(piece);
            int zero = piece.IndexOf((byte)0);
            if (zero >= 0)
            {
                return done + zero;
            }
        }

        return source.Length;
    }

    // The same from a file's page; behind its end are zeros. -1 if it cannot be read.
    private static int ReadString(IMappable file, ulong offset, Span<byte> destination)
    {
        for (int done = 0; done < destination.Length; done += StringPiece)
        {
            Span<byte> piece = destination.Slice(done, Math.Min(StringPiece, destination.Length - done));
            if (!file.ReadAt(offset + (ulong)done, piece).TryGet(out int read, out _))
            {
                return -1;
            }

            piece[read..].Clear();
            int zero = piece.IndexOf((byte)0);
            if (zero >= 0)
            {
                return done + zero;
            }
        }

        return destination.Length;
    }

    /// <summary>Finds the page behind an address, for one 32-bit word that is read and written atomically (futex). The caller releases the page.</summary>
    /// <returns>EINVAL if the address is not aligned; EFAULT.</returns>
    public static Result<int> AcquireWordPage(this MemoryManager memory, GuestAddress address, bool write)
    {
        if (address.Value % sizeof(uint) != 0)
        {
            return Errno.EINVAL;
        }

        return memory.TryAcquire(address.Value, write ? MemoryAccess.Write : MemoryAccess.Read, 1, out AcquiredPage page) && page.File is null ? page.Page : Errno.EFAULT;
    }

    /// <summary>A page's bytes, for who holds a reference through <see cref="AcquireWordPage"/>.</summary>
    public static ref uint WordIn(this MemoryManager memory, int page, GuestAddress address) =>
        ref MemoryMarshal.Cast<byte, uint>(memory.MemoryFile.Bytes(page, (int)(address.Value % PageSize), sizeof(uint)))[0];

    /// <summary>Gives a page of <see cref="AcquireWordPage"/> back.</summary>
    public static void ReleasePage(this MemoryManager memory, int page) => memory.MemoryFile.RemovePin(page);

    /// <summary>Holds pages for host I/O; see <see cref="IoBuffer.Pin"/>.</summary>
    internal static Errno Pin(this MemoryManager memory, ReadOnlySpan<IoVec> ranges, ulong skip, long limit, MemoryAccess access, ref PinnedMemory pinned)
    {
        foreach (IoVec range in ranges)
        {
            ulong at = range.Base + skip;
            ulong end = range.Base + range.Length;
            skip = 0;
            while (at < end && limit > 0)
            {
                int left = (int)Math.Min((long)Math.Min(end - at, MaxRun * PageSize), limit);
                if (pinned.IsFull || !memory.TryAcquire(at, access, PagesOf(at, left), out AcquiredPage page))
                {
                    return pinned.Length > 0 ? Errno.None : Errno.EFAULT;
                }

                if (page.File is not null)
                {
                    return pinned.Length > 0 ? Errno.None : Errno.EOPNOTSUPP;
                }

                int count = Math.Min(left, BytesIn(page, at));
                pinned.Add(memory.MemoryFile, page, (int)(at % PageSize), count);
                at += (ulong)count;
                limit -= count;
            }
        }

        return Errno.None;
    }

    private static int PagesOf(ulong address, int length) => (int)Math.Min(((address % PageSize) + (ulong)length + PageSize - 1) / PageSize, MaxRun);

    private static int BytesIn(in AcquiredPage page, ulong address) => (page.Count * PageSize) - (int)(address % PageSize);
}
