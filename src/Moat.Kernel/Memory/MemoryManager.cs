using System.Runtime.InteropServices;
using Moat.Kernel.Vfs;
using Moat.Linux;
using Moat.Platform;

namespace Moat.Kernel.Memory;

/// <summary>An application's address space as the kernel knows it.</summary>
public sealed class MemoryManager
{
    /// <summary>Copies guest memory in, all of it or EFAULT.</summary>
    public Errno CopyIn(GuestAddress address, Span<byte> destination) =>
        CopyInPartial(address, destination) == destination.Length ? Errno.None : Errno.EFAULT;

    /// <summary>Copies to guest memory, all of it or EFAULT (what fitted before a missing page has been written, as Linux does).</summary>
    public Errno CopyOut(GuestAddress address, ReadOnlySpan<byte> source) =>
        CopyOutPartial(address, source) == source.Length ? Errno.None : Errno.EFAULT;

    /// <summary>Copies guest memory in up to the first missing page; returns how many bytes.</summary>
    public int CopyInPartial(GuestAddress address, Span<byte> destination) => throw new NotSupportedException();

    /// <summary>Copies to guest memory up to the first missing page; returns how many bytes.</summary>
    public int CopyOutPartial(GuestAddress address, ReadOnlySpan<byte> source) => throw new NotSupportedException();

    /// <summary>Reads one value or structure.</summary>
    public Errno Read<T>(GuestAddress address, out T value)
        where T : unmanaged
    {
        value = default;
        return CopyIn(address, MemoryMarshal.AsBytes(new Span<T>(ref value)));
    }

    /// <summary>Writes one value or structure.</summary>
    public Errno Write<T>(GuestAddress address, in T value)
        where T : unmanaged => CopyOut(address, MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value)));

    /// <summary>Copies in a string that a zero byte ends, without the zero.</summary>
    /// <returns>Its length; ENAMETOOLONG if no zero comes within <paramref name="buffer"/>; EFAULT.</returns>
    public Result<int> CopyInString(GuestAddress address, Span<byte> buffer) => throw new NotSupportedException();

    /// <summary>Holds pages for host I/O; see <see cref="IoBuffer.Pin"/>.</summary>
    internal Errno Pin(ReadOnlySpan<IoVec> ranges, ulong skip, long limit, MemoryAccess access, ref PinnedMemory pinned) => throw new NotSupportedException();

    /// <summary>Forgets pages of a mapped file that went away (truncate, hole punch): the next touch asks the file again.</summary>
    public void InvalidateFilePages(IMappable file, ulong offset, ulong length) => throw new NotSupportedException();
}
