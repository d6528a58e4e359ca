using Moat.Kernel.Credentials;
using Moat.Kernel.Time;
using Moat.Linux;
using Moat.Platform;
using Moat.Sockets;

namespace Moat.Kernel.Tests.Sockets;

/// <summary>Networks of a kernel that runs no application: its time stands still, and its random numbers are zeros but the first byte.</summary>
internal sealed class TestNetworks : IPlatform, IKernelClock, IKernelLog, IRandomSource
{
    private byte _next;

    /// <summary>The first network, with loopback up.</summary>
    public static SocketNetwork MakeFirst()
    {
        TestNetworks fakes = new();
        HostFacts facts = new() { ProcessorCount = 1, MemoryBytes = 1 << 20, BootMonotonicNs = 1, BootRealtimeNs = 1 };
        SentryKernel kernel = new(fakes, new MemoryFile(1 << 20), fakes, fakes, fakes, facts, null!);
        return new SocketNetworks(kernel, new SocketFilesystem(kernel)).MakeFirst(new UserNamespace(null));
    }

    public string Name => "none";

    public GuestAddress MinAddress => default;

    public GuestAddress MaxAddress => default;

    public ICallSitePatcher? CallSites => null;

    public byte[]? Vdso => null;

    public long MonotonicNs => 1;

    public long RealtimeNs => 1;

    public long BoottimeNs => 1;

    public bool IsDebug => false;

    public Result<IAddressSpace> NewAddressSpace() => Errno.ENOMEM;

    public IContext NewContext() => throw new NotSupportedException();

    public void Debug(string message)
    {
    }

    public void Warning(string message)
    {
    }

    public void Error(string message, Exception? exception = null)
    {
    }

    public void Fill(Span<byte> destination)
    {
        destination.Clear();
        if (destination.Length > 0)
        {
            destination[^1] = _next++;
        }
    }

    public void Dispose()
    {
    }
}
