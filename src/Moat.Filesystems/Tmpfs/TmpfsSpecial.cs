using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.Tmpfs;

/// <summary>A FIFO, socket or device node on tmpfs: opening it is the kernel's business.</summary>
internal sealed class TmpfsSpecial(TmpfsFilesystem filesystem, Mode mode, DeviceNumber device, in NewOwner owner) : TmpfsInode(filesystem, mode, owner, 1)
{
    private readonly TmpfsFilesystem _filesystem = filesystem;

    protected override DeviceNumber SpecialDevice => device;

    public override Result<FileDescription> Open(GuestTask task, PathLocation location, OpenFlags flags) => FileType switch
    {
        Mode.S_IFCHR => _filesystem.Kernel.Devices.Open(task, location, device, flags),
        Mode.S_IFIFO => _filesystem.Kernel.Fifos.Open(task, this, location, flags),
        _ => Errno.ENXIO,
    };
}
