using Moat.Filesystems.Synthetic;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.Pipe;

/// <summary>The inode of an anonymous pipe.</summary>
internal sealed class PipeInode(PipeFilesystem filesystem, PipeBuffer pipe, NewOwner owner) : SyntheticInode(filesystem, Mode.S_IFIFO | Usual)
{
    private const Mode Usual = (Mode)0x180; // 0600

    private readonly Lock _lock = new();
    private NewOwner _owner = owner; // guarded by _lock
    private Mode _permissions = Usual; // guarded by _lock

    /// <inheritdoc/>
    protected override NewOwner Owner
    {
        get
        {
            lock (_lock)
            {
                return _owner;
            }
        }
    }

    /// <inheritdoc/>
    public override Errno GetAttributes(out InodeAttributes attributes)
    {
        Errno errno = base.GetAttributes(out attributes);
        lock (_lock)
        {
            attributes = attributes with { Mode = Mode.S_IFIFO | _permissions };
        }

        return errno;
    }

    /// <summary>Changes owner and permissions, which whoever opens it through /proc is held to. Its times stay.</summary>
    public override Errno SetAttributes(GuestTask task, in AttributeChange change)
    {
        if (change is not { Size: null, AccessTime: null, ModifyTime: null })
        {
            return base.SetAttributes(task, change);
        }

        lock (_lock)
        {
            _permissions = change.Permissions ?? _permissions;
            _owner = new NewOwner(change.Uid ?? _owner.Uid, change.Gid ?? _owner.Gid);
        }

        return Errno.None;
    }

    /// <inheritdoc/>
    public override Result<FileDescription> Open(GuestTask task, PathLocation location, OpenFlags flags) => new PipeDescription(pipe, this, flags, null);
}
