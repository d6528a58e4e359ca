using Moat.Host;
using Moat.Linux;
using Moat.Platform;

namespace Moat.Platform.Tests;

/// <summary>A memfd that tests write code and data into.</summary>
internal sealed unsafe class TestMemory : IMappableFile, IDisposable
{
    private const int Size = 1 << 20;
    private readonly nint _address;

    public TestMemory()
    {
        HostFd = HostMemory.CreateMemfd("test"u8, sealable: false).Value;
        Assert.Equal(Errno.None, HostMemory.Truncate(HostFd, Size));
        _address = HostMemory.Map(0, Size, HostMemory.ProtRead | HostMemory.ProtWrite, HostMemory.MapShared, HostFd).Value;
    }

    public int HostFd { get; }

    public Span<byte> Bytes => new((void*)_address, Size);

    public void Dispose()
    {
        HostMemory.Unmap(_address, Size);
        HostMemory.Close(HostFd);
    }
}
