using Moat.Linux;

namespace Moat.Host;

/// <summary>The start of a file as shared memory: whoever holds it can change these bytes and cannot make the file larger.</summary>
public sealed unsafe class MappedFile
{
    private readonly nint _address;
    private readonly int _length;

    private MappedFile(nint address, int length)
    {
        _address = address;
        _length = length;
    }

    /// <summary>Maps a file for good; its descriptor may be closed.</summary>
    /// <param name="fd">Open for reading and writing, and at least as long as the length.</param>
    /// <param name="length">In bytes, at most a page.</param>
    public static Result<MappedFile> Map(int fd, int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Environment.SystemPageSize);
        return HostMemory.Map(0, (nuint)length, HostMemory.ProtRead | HostMemory.ProtWrite, HostMemory.MapShared, fd).TryGet(out nint address, out Errno errno) ? new MappedFile(address, length) : errno;
    }

    /// <summary>Replaces the content, the rest with zero bytes.</summary>
    public void Write(ReadOnlySpan<byte> content)
    {
        // SAFETY: the mapping has this length and is never taken away; nobody but the owner of the host could make the file shorter.
        Span<byte> all = new((void*)_address, _length);
        content.CopyTo(all);
        all[content.Length..].Clear();
    }
}
