using Moat.Filesystems.Synthetic;
using Moat.Filesystems.Tty;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.Devpts;

/// <summary>A device node in devpts: its owner and permissions can be changed.</summary>
internal class DevptsNode(DevptsFilesystem filesystem, DeviceNumber device, Mode permissions, NewOwner owner) : SyntheticInode(filesystem, Mode.S_IFCHR | permissions)
{
    private readonly Lock _lock = new();
    private Mode _permissions = permissions; // guarded by _lock
    private NewOwner _owner = owner; // guarded by _lock

    /// <inheritdoc/>
    public override Errno GetAttributes(out InodeAttributes attributes)
    {
        base.GetAttributes(out attributes);
        lock (_lock)
        {
            attributes = attributes with { Mode = Mode.S_IFCHR | _permissions, Uid = _owner.Uid, Gid = _owner.Gid, SpecialDevice = device };
        }

        return Errno.None;
    }

    /// <inheritdoc/>
    public override Errno SetAttributes(GuestTask task, in AttributeChange change)
    {
        if (change.Size is not null)
        {
            return Errno.EINVAL;
        }

        lock (_lock)
        {
            _permissions = change.Permissions ?? _permissions;
            _owner = new NewOwner(change.Uid ?? _owner.Uid, change.Gid ?? _owner.Gid);
        }

        return Errno.None;
    }

    /// <inheritdoc/>
    public override Result<FileDescription> Open(GuestTask task, PathLocation location, OpenFlags flags) => TerminalDevices.OpenMaster(task, location, flags);
}
