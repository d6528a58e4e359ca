using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Sockets.Tun;

/// <summary>/dev/net/tun: makes interfaces whose other end is a program.</summary>
public static class TunDevice
{
    /// <summary>Its number.</summary>
    public static DeviceNumber Number { get; } = new(10, 200);

    /// <summary>Makes it known to the kernel.</summary>
    public static void Register(DeviceRegistry registry) => registry.Register(Number, Open);

    private static Result<FileDescription> Open(GuestTask task, PathLocation location, OpenFlags flags) => new TunDescription((SocketNetwork)task.Network, flags, location);
}
