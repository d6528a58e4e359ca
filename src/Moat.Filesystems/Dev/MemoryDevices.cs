using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.Dev;

/// <summary>Registers the memory devices and makes their nodes.</summary>
public static class MemoryDevices
{
    private const uint MemoryMajor = 1;

    private static readonly (string Name, uint Minor, MemoryDeviceKind Kind)[] s_devices =
    [
        ("null", 3, MemoryDeviceKind.Null), ("zero", 5, MemoryDeviceKind.Zero), ("full", 7, MemoryDeviceKind.Full), ("random", 8, MemoryDeviceKind.Random), ("urandom", 9, MemoryDeviceKind.Random),
    ];

    /// <summary>Makes the devices known to the kernel.</summary>
    public static void Register(DeviceRegistry registry)
    {
        foreach ((string _, uint minor, MemoryDeviceKind kind) in s_devices)
        {
            registry.Register(new DeviceNumber(MemoryMajor, minor), (GuestTask _, PathLocation location, OpenFlags flags) => new MemoryDevice(kind, flags, location));
        }
    }

    /// <summary>Makes nodes and the usual links in a fresh /dev.</summary>
    /// <exception cref="InvalidOperationException">The directory does not take them.</exception>
    public static void Populate(GuestTask task, PathLocation dev)
    {
        foreach ((string name, uint minor, MemoryDeviceKind _) in s_devices)
        {
            Check(name, FileCreation.Make(task, dev, System.Text.Encoding.ASCII.GetBytes(name), Mode.S_IFCHR | (Mode)0x1B6, new DeviceNumber(MemoryMajor, minor)));
        }

        Check("tty", FileCreation.Make(task, dev, "tty"u8, Mode.S_IFCHR | (Mode)0x1B6, Tty.TerminalDevices.Current));
        foreach ((string name, string target) in new[] { ("ptmx", "pts/ptmx"), ("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"), ("stderr", "/proc/self/fd/2") })
        {
            Check(name, FileCreation.MakeSymlink(task, dev, System.Text.Encoding.ASCII.GetBytes(name), System.Text.Encoding.ASCII.GetBytes(target)));
        }

        Check("shm", FileCreation.Make(task, dev, "shm"u8, Mode.S_IFDIR | (Mode)0x3FF, default));
    }

    private static void Check(string name, Errno errno)
    {
        if (errno != Errno.None)
        {
            throw new InvalidOperationException($"/dev/{name}: {errno}");
        }
    }
}
