using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Kernel.Vfs;

/// <summary>Opens a character device.</summary>
public delegate Result<FileDescription> DeviceOpener(GuestTask task, PathLocation location, OpenFlags flags);

/// <summary>The character devices of the sandbox, by number: whichever filesystem a node is on. Filled at boot.</summary>
public sealed class DeviceRegistry
{
    private readonly Dictionary<DeviceNumber, DeviceOpener> _openers = [];

    /// <summary>Adds a device.</summary>
    public void Register(DeviceNumber device, DeviceOpener opener) => _openers.Add(device, opener);

    /// <summary>Whether a number has a device.</summary>
    public bool Contains(DeviceNumber device) => _openers.ContainsKey(device);

    /// <summary>Opens a device; ENXIO for a number that has none.</summary>
    public Result<FileDescription> Open(GuestTask task, PathLocation location, DeviceNumber device, OpenFlags flags) =>
        _openers.TryGetValue(device, out DeviceOpener? opener) ? opener(task, location, flags) : Errno.ENXIO;
}
